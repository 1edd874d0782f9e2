"""What kills must not change: `python -m tests.proofs.crashes --kills 200` kills loads and builds at random moments.

A company's files arrive in portions. While a portion is loaded and built, the process is killed again and again, at
moments drawn from a seed; then it is let through. In the end the marts have to equal those of a company that was landed
and built once, undisturbed, row for row; no step by hand in between.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

import duckdb

from sample.__main__ import sources
from sample.systems.http import Systems, serve
from tests.conftest import Build, make_company, run_fork, well

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


def connected(build: Build, *command: str, timeout: float = 600) -> CompletedProcess[str]:
    """Run `python -m …` with the sources of the company connected; it is killed as in `run_fork`."""
    systems = Systems.from_folder(build.files / "api")
    days = json.loads((build.files / "made.json").read_text())["days"]
    with serve(systems) as server:
        environment = build.environment | sources(build.files, server.url, systems.token, days)
        return run_fork("-m", *command, environment=environment, timeout=timeout)


def killed_after(seconds: float, step: Callable[..., object], build: Build) -> bool:
    """Do something with a build and kill it after some seconds; return False if it had ended before."""
    try:
        step(build, timeout=seconds)
    except TimeoutExpired:
        return True
    return False


def survive(kills: int, seed: int, folder: Path, customers: int, days: int, say=print) -> list[str]:
    """Kill loads and builds `kills` times in all; return what differs in the end from an undisturbed company."""
    chance = random.Random(seed)
    reference = Build(make_company(folder / "files", customers, days), folder / "undisturbed")
    reference.folder.mkdir()
    steps = {
        "load": lambda build, **limit: well(connected(build, "load", **limit)),
        "build": lambda build, **limit: build.dbt(*BUILD, **limit),
    }
    seconds = {}
    for name, step in steps.items():
        started = time.monotonic()
        step(reference)
        seconds[name] = time.monotonic() - started
    victim = Build(folder / "arriving", folder / "killed")
    victim.folder.mkdir()
    arriving = portions(reference.files, victim.files, max(1, min(10, kills // 4)))
    done = 0
    for number, files in enumerate(arriving, start=1):
        for file in files:
            (victim.files / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(reference.files / file, victim.files / file)
        for name, step in steps.items():
            wanted = round(kills * number / len(arriving)) - done
            tries = wanted if name == "build" else (wanted + 1) // 2
            for _ in range(tries):
                done += killed_after(chance.uniform(0.2, 1.1) * seconds[name], step, victim)
            step(victim)
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
