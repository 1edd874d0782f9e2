"""Where things are, and what it takes to copy them."""

import subprocess
import sys
from pathlib import Path

import duckdb

from operate.paths import copy_warehouse

KILLED = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("set checkpoint_threshold = '1GB'")
connection.execute("create table one as select 7 as number")
os._exit(1)
"""
"""Commits to a warehouse, and is killed before it has taken what is in its log into its tables."""


def test_a_copy_has_what_a_killed_build_had_committed(tmp_path: Path) -> None:
    warehouse, copy = tmp_path / "warehouse.duckdb", tmp_path / "copy.duckdb"
    assert subprocess.run([sys.executable, "-c", KILLED, str(warehouse)]).returncode == 1
    assert warehouse.with_name("warehouse.duckdb.wal").exists()
    copy_warehouse(warehouse, copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("from one").fetchall() == [(7,)]
