"""`python -m load`: what it says, what it returns, and what it leaves behind when something goes wrong."""

import shutil
import subprocess
import sys
import time

import dlt
import duckdb
import pyarrow as pa
import pytest

from load.__main__ import main
from load.landing import MANIFEST, RECORD, RECORD_WITH_FIELDS
from load.locks import in_use, one_load_at_a_time, writing
from load.pipeline import tables_of
from load.sources import SOURCES


def connect_web(company, text: str = "a\nb\n") -> None:
    company.write("web/a.jsonl", text)
    company.connect("web", url=company.folder / "web")


def events(company) -> list[tuple]:
    return company.query("select source_line, payload from raw_web.events order by 1, 2")


def test_without_any_source_the_tables_exist_and_are_empty(company) -> None:
    company.warehouse.unlink()
    assert company.load() == 0
    assert "No source is connected" in company.output
    assert "SOURCES__WEB__URL" in company.output
    for source in SOURCES:
        for table, columns in tables_of(source).items():
            assert company.query(f"select count(*) from raw_{source}.{table}") == [(0,)]
            described = company.query(f"select column_name from (describe raw_{source}.{table})")
            assert [name for (name,) in described] == columns.names
        assert company.query(f"select count(*) from raw_{source}._dlt_loads where status = 0") == [(0,)]


def test_tables_have_the_columns_that_models_read(company) -> None:
    types = dict(company.query("select column_name, column_type from (describe raw_store.transactions)"))
    assert types == {
        "payload": "VARCHAR",
        "payload_bytes": "BLOB",
        "fields": "VARCHAR",
        "source_file": "VARCHAR",
        "source_line": "BIGINT",
        "source_key": "VARCHAR",
        "content_hash": "VARCHAR",
        "landed_at": "TIMESTAMP WITH TIME ZONE",
        "_dlt_load_id": "VARCHAR",
    }
    assert set(RECORD_WITH_FIELDS.names) - set(RECORD.names) == {"fields"}
    orders = dict(company.query("select column_name, column_type from (describe raw_shop.orders)"))
    assert orders["id"] == "BIGINT"
    assert orders["total_price"] == "DECIMAL(18,4)"
    assert orders["updated_at"] == "TIMESTAMP WITH TIME ZONE"
    assert orders["test"] == "BOOLEAN"


def test_unknown_source_is_refused_with_the_list(company) -> None:
    assert company.load("wbe") == 2
    assert "there is no source wbe" in company.output
    assert ", ".join(SOURCES) in company.output


def test_only_the_named_source_is_read(company) -> None:
    connect_web(company)
    company.connect("store", url=company.folder / "nowhere")
    assert company.load("web") == 0
    assert "store" not in company.output


def test_source_that_fails_leaves_the_others_landed_and_exits_1(company) -> None:
    connect_web(company)
    company.connect("store", url=company.folder / "nowhere")
    company.connect("shop", credentials="sqlite:///nowhere.db")
    assert company.load() == 1
    assert len(events(company)) == 2
    assert "failed: store: there is no" in company.output
    assert "failed: shop: there is no database file" in company.output


def test_defect_in_one_source_does_not_stop_the_others(company, monkeypatch) -> None:
    connect_web(company)
    company.connect("crm", url="http://127.0.0.1:9", token="x")

    def broken(run: object, url: str) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("load.sources.crm.read", broken)
    assert company.load() == 1
    assert "ZeroDivisionError" in company.output
    assert len(events(company)) == 2


def test_table_at_the_end_counts(company) -> None:
    connect_web(company)
    company.load("web")
    (row,) = [line for line in company.output.splitlines() if "│ web" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")][:3] == ["web", "2", "0"]
    company.load("web")
    (row,) = [line for line in company.output.splitlines() if "│ web" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")][:3] == ["web", "0", "2"]


def test_second_load_at_once_says_who_holds_the_lock(company) -> None:
    with one_load_at_a_time(company.warehouse, "web"):
        assert company.load("web") == 2
    assert "web is being loaded into" in company.output
    assert "by process" in company.output


def test_another_source_waits_for_whoever_writes(company) -> None:
    connect_web(company)
    company.write("mobile/a.jsonl", "c\n")
    company.connect("mobile", url=company.folder / "mobile")
    assert company.load("store") == 0
    command = [sys.executable, "-m", "load"]
    with one_load_at_a_time(company.warehouse, "store"), writing(company.warehouse):
        waiting = [
            subprocess.Popen([*command, source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for source in ("web", "mobile")
        ]
        with pytest.raises(subprocess.TimeoutExpired):
            waiting[0].wait(4)
        assert waiting[1].poll() is None
    for each in waiting:
        said, _ = each.communicate(timeout=60)
        assert each.returncode == 0, said
    assert len(events(company)) == 2
    assert company.query("select payload from raw_mobile.events") == [("c",)]


def test_one_source_reads_while_another_does_and_neither_lets_a_third_write(company) -> None:
    connect_web(company)
    company.write("mobile/a.jsonl", "c\n")
    company.connect("mobile", url=company.folder / "mobile")
    assert company.load("store") == 0
    reached = company.folder / "reached"
    held = """
import sys, time
from pathlib import Path
from load.__main__ import main
from load.landing import Run

flush = Run._flush
def late(run):
    Path(sys.argv[2]).touch()
    while not Path(sys.argv[3]).exists():
        time.sleep(0.02)
    yield from flush(run)
Run._flush = late
sys.exit(main([sys.argv[1]]))
"""
    places = {source: company.folder / f"{source} reads" for source in ("web", "mobile")}
    reading_both = [
        subprocess.Popen([sys.executable, "-c", held, source, place, reached], stdout=subprocess.PIPE, text=True)
        for source, place in places.items()
    ]
    until = time.monotonic() + 30
    while not all(place.exists() for place in places.values()):
        assert time.monotonic() < until, "they do not read side by side"
        time.sleep(0.02)
    assert in_use(company.warehouse)
    reached.touch()
    assert [each.wait(60) for each in reading_both] == [0, 0]
    assert not in_use(company.warehouse)
    assert len(events(company)) == 2
    assert company.query("select payload from raw_mobile.events") == [("c",)]


def test_sources_side_by_side_in_one_process(company) -> None:
    connect_web(company)
    company.write("mobile/a.jsonl", "c\n")
    company.connect("mobile", url=company.folder / "mobile")
    company.connect("store", url=company.folder / "nowhere")
    assert company.load("--side-by-side", "3") == 1
    assert "failed: store: there is no" in company.output
    assert [line.split("│")[1].strip() for line in company.output.splitlines() if line.startswith("│")] == list(SOURCES)
    assert len(events(company)) == 2
    assert company.query("select payload from raw_mobile.events") == [("c",)]
    assert company.load("--side-by-side") == 2
    assert "whole number" in company.output


def test_warehouse_open_elsewhere_is_said(company) -> None:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(company.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        holder.stdout.readline()
        assert company.load("web") == 2
        assert "cannot write" in company.output
        assert f"PID {holder.pid}" in company.output
    finally:
        holder.communicate(b"\n")


@pytest.mark.parametrize("step", ["normalize", "load"])
def test_crash_after_reading_is_made_good_by_the_next_run(company, step: str) -> None:
    connect_web(company)
    with company.monkeypatch.context() as patch:
        patch.setattr(dlt.Pipeline, step, lambda *_, **__: (_ for _ in ()).throw(RuntimeError("killed")))
        assert company.load("web") == 1
    assert events(company) == []
    company.write("web/b.jsonl", "c\n")
    assert company.load("web") == 0
    assert events(company) == [(1, "a"), (1, "c"), (2, "b")]
    assert company.load("web") == 0
    assert len(events(company)) == 3


def test_working_folder_may_be_lost(company) -> None:
    connect_web(company)
    company.load("web")
    shutil.rmtree(company.warehouse.parent / "pipelines")
    company.write("web/a.jsonl", "a\nb\nc\n")
    assert company.load("web") == 0
    assert events(company) == [(1, "a"), (2, "b"), (3, "c")]


def test_rows_of_a_load_that_never_completed_are_landed_again(company) -> None:
    connect_web(company)
    company.load("web")
    company.execute("delete from raw_web._dlt_loads")
    shutil.rmtree(company.warehouse.parent / "pipelines")
    company.load("web")
    assert company.query(
        "select source_line, payload from raw_web.events "
        "where _dlt_load_id in (select load_id from raw_web._dlt_loads where status = 0) order by 1"
    ) == [(1, "a"), (2, "b")]


def test_raw_table_keeps_its_columns_when_a_new_column_is_declared(company) -> None:
    connect_web(company)
    company.load("web")
    company.monkeypatch.setitem(
        sys.modules["load.sources.web"].TABLES, "events", RECORD.append(pa.field("partition", pa.int64()))
    )
    company.write("web/b.jsonl", "c\n")
    assert company.load("web") == 0
    assert company.query("select payload, partition from raw_web.events order by 1") == [
        ("a", None),
        ("b", None),
        ("c", None),
    ]


def test_nothing_is_written_for_a_source_without_news(company) -> None:
    connect_web(company)
    company.load("web")
    before = company.query("select count(*) from raw_web._dlt_loads")
    company.load("web")
    assert company.query("select count(*) from raw_web._dlt_loads") == before
    assert set(MANIFEST.names) >= {"records_read", "records_landed", "records_unchanged"}


def test_working_folder_keeps_no_copy_of_the_data_and_home_stays_clean(company) -> None:
    home = company.folder / "home"
    company.monkeypatch.setenv("HOME", str(home))
    connect_web(company)
    company.load("web")
    assert not list((company.warehouse.parent / "pipelines").rglob("*.parquet"))
    assert not (home / ".dlt").exists()


def test_help_names_the_sources(capsys) -> None:
    assert main(["--help"]) == 0
    assert "marketplace" in capsys.readouterr().out


def test_load_of_a_real_process_lands_and_leaves_the_file_closed(company) -> None:
    connect_web(company)
    done = subprocess.run([sys.executable, "-m", "load", "web"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "landed" in done.stdout
    with duckdb.connect(str(company.warehouse)) as connection:
        assert connection.execute("select count(*) from raw_web.events").fetchone() == (2,)


def test_copy_that_was_committed_before_the_kill_does_not_stand_twice(company) -> None:
    connect_web(company)
    killed = """
import os
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
from load.__main__ import main

committed = DuckDbCopyJob.run
DuckDbCopyJob.run = lambda job: (committed(job), job.load_table_name == "events" and os._exit(9))
main(["web"])
"""
    assert subprocess.run([sys.executable, "-c", killed], timeout=30, check=False).returncode == 9
    assert len(events(company)) == 2
    assert company.load("web") == 0
    assert events(company) == [(1, "a"), (2, "b")]
    assert company.query("select count(*) from raw_web.manifest") == [(1,)]
    assert company.query("select count(*) from raw_web._dlt_loads") == [(1,)]
