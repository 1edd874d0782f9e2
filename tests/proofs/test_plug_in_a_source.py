"""docs/add-a-source.md says three places to touch: these three are touched, and the new source's events are there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

from tests.conftest import BIN, ROOT, run_well

MODULE = (ROOT / "load" / "sources" / "web.py").read_text().replace("SOURCES__WEB__URL", "SOURCES__KIOSK__URL")
EVENT = {
    "messageId": "k-1",
    "anonymousId": "kiosk-7",
    "userId": "42",
    "type": "track",
    "event": "Product Viewed",
    "originalTimestamp": "2026-06-01T10:00:00Z",
    "sentAt": "2026-06-01T10:00:00Z",
    "receivedAt": "2026-06-01T10:00:01Z",
    "properties": {"product_id": "SKU-1"},
}


def test_a_source_is_plugged_in_by_three_touches(tmp_path: Path) -> None:
    project = tmp_path / "project"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, tracked):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project / name)

    (project / "load" / "sources" / "kiosk.py").write_text(MODULE)
    staging = project / "models" / "staging" / "kiosk"
    staging.mkdir()
    (staging / "stg_kiosk__events.sql").write_text("{{ segment_events('raw_kiosk') }}\n")
    tables = [{"name": name} for name in ("events", "manifest", "_dlt_loads")]
    source = {"sources": [{"name": "raw_kiosk", "schema": "raw_kiosk", "tables": tables}]}
    (staging / "raw_kiosk.yml").write_text(json.dumps(source))
    settings = project / "dbt_project.yml"
    text = settings.read_text()
    text = text.replace("event_sources: [web, mobile]", "event_sources: [web, mobile, kiosk]")
    assert "  landed_tables:\n" in text
    settings.write_text(
        text.replace(
            "  landed_tables:\n",
            "  landed_tables:\n    - {source: kiosk, table: events, model: stg_kiosk__events}\n",
        )
    )

    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.jsonl").write_text(json.dumps(EVENT) + "\n{broken\n")
    environment = {"SOURCES__KIOSK__URL": str(tmp_path / "events")}
    run_well(sys.executable, "-m", "load", environment=environment, cwd=project)
    what = ("--select", "+fct_events", "+landed_records", "+product_features", "--indirect-selection", "cautious")
    dbt = (BIN / "dbt", "build", *what, "--exclude-resource-type", "unit_test")
    run_well(*dbt, environment=environment, cwd=project)

    with duckdb.connect(str(project / "warehouse" / "warehouse.duckdb"), read_only=True) as connection:
        events = connection.execute("select source, event_id, customer_id from core.fct_events").fetchall()
        accounts = connection.execute(
            """select source, sum(records_landed), sum(records_accepted), sum(records_rejected)
            from operations.landed_records group by source"""
        ).fetchall()
    assert events == [("kiosk", "k-1", "42")]
    assert accounts == [("kiosk", 2, 1, 1)]

    explained = run_well(
        sys.executable, "-m", "operate", "explain", "product_features.views_1d", "SKU-1", "2026-06-02",
        environment={}, cwd=project,
    )  # fmt: skip
    assert "kiosk a.jsonl:1" in explained
