"""`python -m operate build` and plain dbt: what a person sees when it goes well, when nothing is new, when it fails."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT, Build, run, run_well


@pytest.fixture
def build(company: Build, tmp_path: Path) -> Build:
    """A copy of the company's warehouse that a test may spoil."""
    shutil.copy(company.warehouse, tmp_path / "warehouse.duckdb")
    return replace(company, folder=tmp_path)


def operate(build: Build, *arguments: str):
    return run(sys.executable, "-m", "operate", *arguments, environment=build.environment | {"COLUMNS": "120"})


def test_without_a_warehouse_it_says_what_to_do(build: Build) -> None:
    build.warehouse.unlink()
    done = operate(build, "build")
    assert done.returncode == 1
    assert "python -m load" in done.stdout


def test_a_warehouse_that_somebody_reads_is_said_before_anything_is_done(build: Build) -> None:
    stamp = build.warehouse.with_suffix(".built.json")
    stamp.write_text('{"project": "of before"}')
    with duckdb.connect(str(build.warehouse), read_only=True):
        done = operate(build, "build", "--log-format", "json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Could not set lock on file" in done.stderr
    assert "Close what has it open" in done.stderr
    # The tables are still those of before: the next build has to make them anew.
    assert json.loads(stamp.read_text()) == {"project": "of before"}


def test_who_builds_nothing_does_not_wait_for_dbt() -> None:
    seen = "import sys, operate.build, operate.run; print([name for name in sys.modules if name in ('dbt', 'dlt')])"
    assert run_well(sys.executable, "-c", seen, environment={}) == "[]\n"


def test_nobody_builds_what_readers_open(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    before = build.warehouse.read_bytes()
    monkeypatch.setenv("DBT_TARGET", "readers")
    done = operate(build, "build")
    assert done.returncode == 1
    assert "unset DBT_TARGET" in done.stdout
    assert build.warehouse.read_bytes() == before


def test_dbt_builds_empty_tables_when_it_is_told_to(build: Build) -> None:
    build.dbt("run", "--empty", "--select", "dim_dates", "run_costs")


def test_a_query_shows_its_result_or_why_there_is_none(build: Build) -> None:
    assert "42" in operate(build, "query", "select 42 as answer").stdout
    wrong = operate(build, "query", "select nothing from nowhere")
    assert wrong.returncode == 1
    assert "nowhere" in wrong.stderr
    assert "read-only" in operate(build, "query", "create table t (a int)").stderr


def test_dbt_warns_of_nothing_in_the_project(company: Build) -> None:
    """Of deprecations, say. Tests that warn do so after it has been read."""
    read = (company.folder / "logs" / "dbt.log").read_text().partition("Concurrency:")[0]
    assert "Starting full parse" in read, read[-2000:]
    assert [line for line in read.splitlines() if "[warn" in line or "[error" in line] == []


def test_every_model_is_described_and_every_published_one_under_contract(company: Build) -> None:
    manifest = json.loads((company.folder / "target" / "manifest.json").read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert [m["name"] for m in models if not m["description"]] == []
    assert [m["name"] for m in models if not m["description"].startswith("One row per")] == []
    published = [m for m in models if m["original_file_path"].startswith("models/marts/")]
    assert len(published) >= 11
    assert [m["name"] for m in published if not m["config"]["contract"]["enforced"]] == []
    bare = [f"{m['name']}.{c['name']}" for m in published for c in m["columns"].values() if not c["description"]]
    assert bare == []


def test_only_staging_reads_sources_and_no_model_asks_which_engine_it_is_on() -> None:
    for path in sorted((ROOT / "models").rglob("*.sql")):
        text = path.read_text()
        assert "target.type" not in text, path
        assert ("source(" in text) <= ("staging" in path.parts), path


def test_no_line_of_sql_is_longer_than_a_screen_is_wide() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("models", "analyses", "snapshots", "tests")
        for path in sorted((ROOT / folder).rglob("*.sql"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > 125
    ]
    assert long == []


def test_every_formula_gives_what_was_worked_out_by_hand(build: Build) -> None:
    """All of dbt's unit tests: no other test runs them."""
    build.dbt("test", "--select", "test_type:unit")
    results = json.loads((build.folder / "target" / "run_results.json").read_text())["results"]
    assert len(results) > 100
    assert {result["status"] for result in results} <= {"pass", "success"}  # The hook at the end is one that succeeds.


def test_with_nothing_new_no_day_is_computed_anew(build: Build) -> None:
    build.dbt("run", "--select", "int_events__unioned", "int_customer_behaviour__windowed")
    models = build.folder / "target" / "run" / "shopsmart" / "models" / "intermediate"
    assert "known_date >= date '9999-12-31'" in (models / "events" / "int_events__unioned.sql").read_text()
    # Not even the serving day's rows, which the next day replaces.
    behaviour = (models / "tiles" / "int_customer_behaviour__windowed.sql").read_text()
    assert "feature_at >= date '9999-12-31'" in behaviour
