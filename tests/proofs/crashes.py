"""What kills must not change: `python -m tests.proofs.crashes --kills 200` kills loads and builds at random moments.

A company's files arrive in portions. While a portion is loaded and built, the process is killed again and again, at
moments drawn from a seed; then it is let through. In the end the marts have to equal those of a company that was landed
and built once, undisturbed, row for row; no step by hand in between.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import duckdb

from tests.conftest import BIN, Build, make_company, run

BUILD = ("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
FILE_SOURCES = ("web", "mobile", "catalog", "marketplace", "store")
PUBLISHED = ("core", "features")


def tables_of(warehouse: Path, schemas: tuple[str, ...]) -> list[str]:
    """Return the tables and views of some schemas, by their qualified names."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where list_contains($schemas, table_schema) order by 1",
            {"schemas": list(schemas)},
        ).fetchall()
    return [name for (name,) in rows]


def differing_marts(one: Path, other: Path) -> list[str]:
    """Return which published tables differ between two warehouses, and by how many rows."""
    names = tables_of(one, PUBLISHED)
    found = [] if names == tables_of(other, PUBLISHED) else ["the list of tables"]
    with duckdb.connect(str(one), read_only=True) as connection:
        connection.execute(f"attach '{other}' as other (read_only)")
        for name in names:
            (rows,) = connection.execute(
                f"select count(*) from ((from {name} except all from other.{name}) "
                f"union all (from other.{name} except all from {name}))"
            ).fetchone()
            found += [f"{name}: {rows} rows"] if rows else []
    return found


def landed_records(warehouse: Path) -> Counter[tuple]:
    """Return what is landed in completed loads: (raw table, where it stood, what it said), and how often."""
    landed: Counter[tuple] = Counter()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        columns = connection.execute(
            "select table_schema, table_name, list(column_name) from information_schema.columns "
            "where table_schema like 'raw_%' and table_name[:5] != '_dlt_' and table_name != 'manifest' group by all"
        ).fetchall()
        for schema, table, names in columns:
            key = [name for name in ("source_file", "source_line", "source_key", "id", "content_hash") if name in names]
            for row in connection.execute(
                f"select {', '.join(key)} from {schema}.{table} "
                f"where _dlt_load_id in (select load_id from {schema}._dlt_loads where status = 0)"
            ).fetchall():
                landed[f"{schema}.{table}", *row] += 1
    return landed


def portions(files: Path, to: Path, count: int) -> list[list[Path]]:
    """Return the files of a company's file sources in `count` portions, by name; everything else is copied to `to`."""

    def later(folder: str, names: list[str]) -> list[str]:
        inside = Path(folder).relative_to(files).parts[:1]
        return [name for name in names if inside and inside[0] in FILE_SOURCES and Path(folder, name).is_file()]

    shutil.copytree(files, to, ignore=later)
    found = sorted(
        file.relative_to(files) for source in FILE_SOURCES for file in (files / source).rglob("*") if file.is_file()
    )
    return [found[start::count] for start in range(count)]


def killed_after(seconds: float, command: list[str], build: Build) -> bool:
    """Run a command and kill it, and all it started, after some seconds; return False if it had ended before."""
    process = subprocess.Popen(
        command,
        env=os.environ | build.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def survive(kills: int, seed: int, folder: Path, customers: int, days: int, say=print) -> list[str]:
    """Kill loads and builds `kills` times in all; return what differs in the end from an undisturbed company."""
    chance = random.Random(seed)
    reference = Build(make_company(folder / "files", customers, days), folder / "undisturbed")
    reference.folder.mkdir()
    seconds = {}
    for name, step in {"load": reference.load, "build": lambda: reference.dbt(*BUILD)}.items():
        started = time.monotonic()
        step()
        seconds[name] = time.monotonic() - started
    victim = Build(folder / "arriving", folder / "killed")
    victim.folder.mkdir()
    arriving = portions(reference.files, victim.files, max(1, min(10, kills // 4)))
    load = [sys.executable, "-m", "sample", "serve", "--from", str(victim.files), "--", sys.executable, "-m", "load"]
    commands = {"load": load, "build": [str(BIN / "dbt"), *BUILD]}
    done = 0
    for number, files in enumerate(arriving, start=1):
        for file in files:
            (victim.files / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(reference.files / file, victim.files / file)
        for name, command in commands.items():
            wanted = round(kills * number / len(arriving)) - done
            tries = wanted if name == "build" else (wanted + 1) // 2
            for _ in range(tries):
                done += killed_after(chance.uniform(0.2, 1.1) * seconds[name], command, victim)
            ended = run(*command, environment=victim.environment)
            assert ended.returncode == 0, f"after {done} kills: {ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
        say(f"{done} kills, {number} of {len(arriving)} portions landed and built")
    differences = differing_marts(reference.warehouse, victim.warehouse)
    if landed_records(reference.warehouse) != landed_records(victim.warehouse):
        differences.append("the landed records")
    rows = sum(landed_records(victim.warehouse).values())
    say(
        f"{done} kills; {len(tables_of(victim.warehouse, PUBLISHED))} tables and {rows:,} landed records compared: "
        f"{'; '.join(differences) or 'no difference'}"
    )
    return differences


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--days", type=int, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(bool(survive(given.kills, given.seed, Path(scratch), given.customers, given.days)))
