"""How a run ended, told to a file and to a real webhook."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest

from operate.report import Outcome, report, tell
from operate.run_page import RESULTS
from tests.conftest import ROOT, Build, run


@contextmanager
def webhook(*answers: int) -> Iterator[tuple[str, list[dict]]]:
    """Run a server that answers with these codes in turn, then with 200; yield its address and what it was sent."""
    codes, sent = list(answers), []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(codes.pop(0) if codes else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/services/a-secret-token", sent
    finally:
        server.shutdown()
        server.server_close()


def told(company: Build, artifacts: Path, outcome: Outcome, started: datetime | None = None) -> dict:
    started = started or datetime.now(UTC)
    return report(outcome, started, company.warehouse, artifacts / "published.duckdb", artifacts)


def test_a_run_that_fails_tells_the_webhook_and_exits_1(built: Build, tmp_path: Path) -> None:
    with webhook() as (address, sent):
        environment = built.environment | {
            "PUBLISHED": str(tmp_path / "published.duckdb"), "SOURCES__WEB__URL": str(tmp_path / "nowhere"),
            "ALERT_WEBHOOK": address,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "operate", "run", "--yes", "--report", tmp_path / "how.json"],
            cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 1
    written = json.loads((tmp_path / "how.json").read_text())
    assert written["outcome"] == "failed"
    assert "a source failed to load" in written["reason"]
    assert "web: there is no" in written["reason"]
    (message,) = sent
    assert message == {"text": message["text"], **written}
    assert "a source failed to load" in message["text"]


def test_what_did_not_pass_and_what_is_late_is_named(company: Build, tmp_path: Path) -> None:
    started = datetime.now(UTC) - timedelta(minutes=1)
    results = [
        {"unique_id": "test.shopsmart.no_feature_has_drifted", "status": "warn", "message": "Got 2 results"},
        {"unique_id": "model.shopsmart.fct_orders", "status": "error", "message": "Division\n  by zero"},
        {"unique_id": "model.shopsmart.dim_products", "status": "success", "message": "OK"},
    ]
    shutil.copy(company.folder / "target" / "manifest.json", tmp_path)
    (tmp_path / RESULTS).write_text(json.dumps({"results": results, "elapsed_time": 12.5}))
    warehouse = tmp_path / "warehouse.duckdb"
    warehouse.write_bytes(company.warehouse.read_bytes())
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "update operations.landed_records set landed_at = landed_at - interval 2 day where source = 'web'"
        )
    found = report(Outcome("failed", "the build failed"), started, warehouse, tmp_path / "p.duckdb", tmp_path)
    assert found["failures"] == [{"what": "fct_orders", "words": "Division by zero"}]
    drifted, late = found["warnings"]
    assert drifted["what"] == "no_feature_has_drifted"
    assert "Customers change" in drifted["words"] and "Got 2 results" in drifted["words"]
    assert late["what"] == "web.events"
    assert "48 hours, the limit is 36" in late["words"]
    # What an earlier build said is not said again by a run that built nothing.
    later = report(Outcome("unchanged", ""), datetime.now(UTC), warehouse, tmp_path / "p.duckdb", tmp_path)
    assert [item["what"] for item in later["failures"] + later["warnings"]] == ["web.events"]


def test_a_scheduler_reports_what_failed_before_it_came_to_publishing(company: Build, tmp_path: Path) -> None:
    with webhook() as (address, sent):
        environment = company.environment | {
            "PUBLISHED": str(tmp_path / "published.duckdb"), "ALERT_WEBHOOK": address, "DBT_TARGET_PATH": str(tmp_path),
        }  # fmt: skip
        words = ("--failed", "crm failed to load", "--since", "2026-01-01T00:00:00")
        done = run(sys.executable, "-m", "operate", "report", *words, environment=environment)
    assert done.returncode == 0, done.stderr
    (message,) = sent
    assert (message["outcome"], message["reason"]) == ("failed", "crm failed to load")
    assert message["started_at"] == "2026-01-01T00:00:00+00:00"
    assert set(message["landed"]) >= {"web", "shop"}


def test_what_landed_and_was_not_built_is_told_too(company: Build, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    warehouse.write_bytes(company.warehouse.read_bytes())
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from operations.landed_records where source = 'web'")
    started = datetime(2020, 1, 1, tzinfo=UTC)
    found = report(Outcome("failed", "crm failed"), started, warehouse, tmp_path / "p.duckdb", tmp_path)
    assert found["landed"]["web"]["landed"] > 1000
    assert found["landed"]["web"]["accepted"] is None
    assert found["landed"]["shop"]["accepted"] > 10


def test_what_landed_is_told_by_source(company: Build, tmp_path: Path) -> None:
    found = told(company, tmp_path, Outcome("published", "", "v1"), datetime(2020, 1, 1, tzinfo=UTC))
    assert set(found["landed"]) >= {"web", "crm", "shop", "fx"}
    for numbers in found["landed"].values():
        assert numbers["landed"] == numbers["accepted"] + numbers["rejected"] + numbers["duplicate"]
    assert told(company, tmp_path, Outcome("published", "", "v1"))["landed"] == {}


def test_nobody_is_told_when_all_is_well(company: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as (address, sent):
        monkeypatch.setenv("ALERT_WEBHOOK", address)
        found = told(company, tmp_path, Outcome("published", "Published v1", "v1"))
        tell(found, tmp_path / "new" / "report.json")
        assert sent == []
        assert json.loads((tmp_path / "new" / "report.json").read_text()) == found
        tell(found | {"warnings": [{"what": "web.events", "words": "late"}]}, tmp_path / "report.json")
        assert "! web.events: late" in sent[0]["text"]


def test_a_webhook_that_fails_is_asked_again_and_gives_its_address_away_to_nobody(
    company: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(company, tmp_path, Outcome("failed", "the build failed"))
    with webhook(503) as (address, sent):
        monkeypatch.setenv("ALERT_WEBHOOK", address)
        tell(found, tmp_path / "report.json")
        assert len(sent) == 2
        assert capsys.readouterr().err == ""
    # Nobody listens there any more; and where no file can be written, the webhook is told all the same.
    tell(found, tmp_path / "report.json" / "below a file.json")
    tell(found, tmp_path / "report.json")
    said = capsys.readouterr().err
    assert "nobody was told" in said
    assert "the report could not be written" in said
    assert "a-secret-token" not in said
    assert (tmp_path / "report.json").exists()
