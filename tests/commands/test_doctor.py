"""`operate doctor`: each thing that can be wrong is named, with what to do about it."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from load.locks import one_load_at_a_time
from operate import doctor
from operate.publish import publish
from tests.conftest import Build, run_fork

WRITER = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


@pytest.fixture
def setup(company: Build, tmp_path: Path) -> Build:
    build = replace(company, folder=tmp_path)
    build.warehouse.write_bytes(company.warehouse.read_bytes())
    return build


def findings(build: Build, **environment: str) -> tuple[int, dict[str, dict]]:
    given = build.environment | {"PUBLISHED": str(build.folder / "published.duckdb")} | environment
    done = run_fork("-m", "operate", "doctor", "--json", environment=given)
    return done.returncode, {finding["what"]: finding for finding in json.loads(done.stdout)}


def test_a_setup_that_is_well_is_told_so_and_what_is_to_do_next(setup: Build) -> None:
    code, found = findings(setup, SOURCES__WEB__URL=str(setup.files))
    assert code == 0, found
    assert found["environment"]["state"] == "good"
    assert found["disk"]["state"] == "good"
    assert found["load"]["words"] == "nobody is loading"
    assert found["schema"]["state"] == "good"
    assert "connected by url" in found["web"]["words"]
    assert "landed last" in found["web"]["words"]
    assert found["crm"]["state"] == "note"
    assert "SOURCES__CRM__" in found["crm"]["cure"]
    assert found["build"]["cure"] == "python -m operate build"
    assert found["published"]["cure"] == "python -m operate publish"


def test_a_missing_token_is_seen_and_none_is_shown(setup: Build) -> None:
    _, found = findings(setup, SOURCES__CRM__URL="http://127.0.0.1:9")
    assert found["crm"]["state"] == "warning"
    assert "SOURCES__CRM__TOKEN" in found["crm"]["cure"]
    _, found = findings(setup, SOURCES__CRM__URL="http://127.0.0.1:9", SOURCES__CRM__TOKEN="pat-secret")
    assert found["crm"]["state"] == "good"
    assert "pat-secret" not in json.dumps(found)


def test_who_writes_and_who_loads_is_named(setup: Build) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, setup.warehouse], stdout=subprocess.PIPE)
    try:
        assert writer.stdout.readline() == b"open\n"
        with one_load_at_a_time(setup.warehouse, "web"):
            code, found = findings(setup)
    finally:
        writer.kill()
        writer.communicate()
    assert code == 1
    assert f"process {writer.pid} writes to it" in found["warehouse"]["words"]
    assert found["load"]["state"] == "warning"
    assert "running: process" in found["load"]["words"]


def test_no_warehouse_and_a_short_key_are_bad(setup: Build) -> None:
    setup.warehouse.unlink()
    code, found = findings(setup, PII_KEY="short")
    assert code == 1
    assert "make build" in found["warehouse"]["cure"]
    assert found["PII_KEY"]["state"] == "bad"


def test_what_landed_long_ago_and_in_another_shape_is_a_warning(setup: Build) -> None:
    with duckdb.connect(str(setup.warehouse)) as connection:
        connection.execute("update raw_web.manifest set landed_at = landed_at - interval 9 day")
        connection.execute(
            "insert into operations.schema_drift (source, table_name, column_name, change, is_latest_load) "
            "values ('web', 'events', 'properties.size', 'added', true)"
        )
    _, found = findings(setup, SOURCES__WEB__URL=str(setup.files))
    assert found["web"]["state"] == "warning"
    assert "9 days ago" in found["web"]["words"]
    assert found["schema"]["state"] == "warning"
    assert "web.events.properties.size added" in found["schema"]["words"]


def test_another_version_of_a_package_is_bad(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("duckdb==0.1.0 \\\n    --hash=sha256:00\n")
    found = doctor.environment(tmp_path / "requirements.lock")
    assert found.state == "bad"
    assert "instead of 0.1.0" in found.words
    assert "make" in found.cure


def test_a_full_disk_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    warehouse.write_bytes(b"x" * 1000)
    usage = type("usage", (), {"free": 999})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage)
    assert doctor.disk(warehouse).state == "bad"
    usage.free = 5_000
    assert doctor.disk(warehouse).state == "warning"
    usage.free = 10**10
    assert doctor.disk(warehouse).state == "good"


def test_what_readers_have_is_compared_with_the_warehouse(setup: Build) -> None:
    published = setup.folder / "published.duckdb"
    published.write_text("no database")
    assert doctor.readers(setup.warehouse, published).state == "bad"
    published.unlink()
    publish(setup.warehouse, published, built_from="{}")
    found = doctor.readers(setup.warehouse, published)
    assert "not what the warehouse holds" in found.words
    assert found.cure == "python -m operate publish"
    assert f"{datetime.now():%Y}" in found.words
