"""Several sources in one process: none of them unlocks the warehouse under another."""

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from load.landing import Landed
from load.pipeline import create_tables

WRITE = "import sys, duckdb; duckdb.connect(sys.argv[1]).execute('create or replace table t as select 1')"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    create_tables(tmp_path / "warehouse.duckdb", ("web", "crm"))
    return tmp_path / "warehouse.duckdb"


def another_process_can_write(warehouse: Path) -> bool:
    return subprocess.run([sys.executable, "-c", WRITE, warehouse], capture_output=True).returncode == 0


def test_nobody_writes_as_long_as_one_of_several_sources_is_read(warehouse: Path) -> None:
    web, crm = Landed(warehouse, "web"), Landed(warehouse, "crm")
    web.close()
    assert not another_process_can_write(warehouse)
    assert crm.files("contacts") == {}
    again = Landed(warehouse, "web")
    crm.close()
    assert not another_process_can_write(warehouse)
    again.close()
    assert another_process_can_write(warehouse)


def test_what_one_source_keeps_no_other_sees(warehouse: Path) -> None:
    with contextlib.closing(Landed(warehouse, "web")) as web, contextlib.closing(Landed(warehouse, "crm")) as crm:
        assert web.temporary("select 1 as number") == crm.temporary("select 2 as number") == "temporary_1"
        assert web.connection.sql("from temporary_1").fetchone() == (1,)
        assert crm.connection.sql("from temporary_1").fetchone() == (2,)


def test_a_load_waits_for_a_query_to_end(warehouse: Path) -> None:
    from load.pipeline import _writing_alone

    reader = "import sys, time, duckdb; c = duckdb.connect(sys.argv[1], read_only=True); print(1); time.sleep(2)"
    process = subprocess.Popen([sys.executable, "-u", "-c", reader, warehouse], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    threading.Thread(target=process.wait).start()
    began = time.monotonic()
    with _writing_alone(warehouse), duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table t as select 1")
    assert time.monotonic() - began > 0.5
