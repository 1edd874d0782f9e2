"""Looks a setup over and says what is wrong with it, each finding with its cure."""

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_NB, LOCK_SH, flock
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from pathlib import Path

import duckdb
from rich.console import Console

from load.locks import load_lock
from load.pipeline import pipeline_of, settings_of
from load.sources import SOURCES, reader_of
from operate.paths import KEY_FILE, docs_page, warehouse_path
from operate.publish import publication, published_path, taken_back
from operate.state import data_fingerprint, last_build, passed_state, project_fingerprint, written

PACKAGES = ("dbt-core", "dbt-duckdb", "dlt", "duckdb", "sqlglot")
"""Those of which another version is known to break something."""
MARKS = {"good": "[green]✓[/green]", "note": "[cyan]·[/cyan]", "warning": "[yellow]![/yellow]", "bad": "[red]✗[/red]"}


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is (good, note, warning, bad), in words, and what to do about it."""

    what: str
    state: str
    words: str
    cure: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def doctor(options: argparse.Namespace) -> int:
    """Print all findings; return 1 when something is bad, 0 otherwise."""
    found = list(examine(warehouse_path(), published_path()))
    if options.json:
        print(json.dumps([vars(finding) for finding in found], indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in found:
            console.print(f"{MARKS[finding.state]} [bold]{finding.what:12}[/bold] {finding.words}")
            if finding.cure:
                console.print(f"  {'':12} → {finding.cure}")
    return 1 if any(finding.state == "bad" for finding in found) else 0


def examine(warehouse: Path, published: Path) -> Iterator[Finding]:
    """Yield what there is to say of the environment, the disk, the sources, the warehouse and what readers have."""
    yield environment(Path("requirements.lock"))
    yield disk(warehouse)
    yield personal_data_key()
    connection, problem = opened(warehouse)
    known: dict[str, tuple[datetime | None, float | None]] = {}
    if connection is not None:
        # No longer open than this needs: whoever would write waits.
        with connection:
            known = {source: (last_landed(connection, source), hours_allowed(connection, source)) for source in SOURCES}
            changed = drift(connection)
    yield from (source_state(source, *known.get(source, (None, None))) for source in SOURCES)
    yield from waiting(warehouse)
    yield from loading(warehouse)
    if connection is None:
        yield problem
        return
    yield changed
    yield built(warehouse)
    yield readers(warehouse, published)


def opened(warehouse: Path) -> tuple[duckdb.DuckDBPyConnection | None, Finding | None]:
    """Return the warehouse, open for reading, or what is wrong with it."""
    if not warehouse.exists():
        cure = "python -m load, or make build for the sample company"
        return None, Finding("warehouse", "bad", f"there is none at {warehouse}", cure)
    try:
        return duckdb.connect(str(warehouse), read_only=True), None
    except duckdb.Error as problem:
        holder = re.search(r"\(PID (\d+)\)", str(problem))
        who = f"process {holder[1]} writes to it" if holder else str(problem)
        return None, Finding(
            "warehouse", "bad", f"{warehouse} cannot be read: {who}", "wait until it is done, or end it"
        )


def environment(lock: Path) -> Finding:
    """Compare the installed packages with the lock."""
    wanted = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lock.read_text(), flags=re.MULTILINE)) if lock.exists() else {}
    wrong = []
    for name in PACKAGES:
        try:
            there = version(name)
        except PackageNotFoundError:
            there = "missing"
        if name in wanted and there != wanted[name]:
            wrong.append(f"{name} {there} instead of {wanted[name]}")
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    if wrong:
        return Finding("environment", "bad", f"{python}; {', '.join(wrong)}", "rm -r .venv && make .venv/.complete")
    return Finding("environment", "good", ", ".join([python, *(f"{name} {version(name)}" for name in PACKAGES)]))


def disk(warehouse: Path) -> Finding:
    """Say whether there is room for what a build and a publication write: as much again as the warehouse, each."""
    folder = next(parent for parent in [*warehouse.resolve().parents] if parent.exists())
    free = shutil.disk_usage(folder).free
    size = warehouse.stat().st_size if warehouse.exists() else 0
    words = f"{free / 1e9:,.1f} GB free, the warehouse has {size / 1e9:,.1f} GB"
    if free < 2 * size + 1e9:
        return Finding("disk", "bad" if free < size else "warning", words, f"make room on the disk of {folder}")
    return Finding("disk", "good", words)


def personal_data_key() -> Finding:
    """Say which key hashes personal data, and whether others can read it."""
    if os.environ.get("PII_KEY"):
        if len(os.environ["PII_KEY"]) < 16:
            return Finding("PII_KEY", "bad", "shorter than 16 characters", "openssl rand -hex 32")
        return Finding("PII_KEY", "good", "given in the environment")
    if not KEY_FILE.exists():
        return Finding("PII_KEY", "note", "not set: one will be made for this checkout", "set PII_KEY and keep it")
    if KEY_FILE.stat().st_mode & 0o077:
        return Finding("PII_KEY", "bad", f"others can read {KEY_FILE}", f"chmod 600 {KEY_FILE}")
    return Finding(
        "PII_KEY", "note", f"this checkout's own, in {KEY_FILE}", "set PII_KEY where hashes have to be the same"
    )


def source_state(source: str, last: datetime | None, hours: float | None) -> Finding:
    """Say whether a source has all settings that it needs, and whether it is late: `last` landed, `hours` allowed.

    No setting's value is shown: it may be a secret.
    """
    read = reader_of(source)
    settings = settings_of(source, read)
    words = f"landed last {last:%Y-%m-%d %H:%M} UTC" if last else "nothing has landed yet"
    prefix = f"SOURCES__{source.upper()}__"
    if settings is None:
        return Finding(source, "note", f"not connected; {words}", f"to connect it set {prefix}…, see docs/sources.md")
    words = f"connected by {', '.join(sorted(settings))}; {words}"
    if "token" in signature(read).parameters and not settings.keys() & {"token", "refresh_token"}:
        return Finding(source, "warning", f"{words}; no token", f"set {prefix}TOKEN, unless it asks for none")
    if last and hours and (age := datetime.now(UTC) - last.astimezone(UTC)) > timedelta(hours=hours):
        words = f"{words}, {age.days} days ago; the limit is {hours:.0f} hours"
        return Finding(source, "warning", words, f"python -m load {source}")
    return Finding(source, "good", words)


def last_landed(connection: duckdb.DuckDBPyConnection, source: str) -> datetime | None:
    """Return when something of a source landed last; None when nothing ever did."""
    try:
        return connection.execute(f"select max(landed_at) from raw_{source}.manifest").fetchone()[0]
    except duckdb.CatalogException:
        return None


def hours_allowed(connection: duckdb.DuckDBPyConnection, source: str) -> float | None:
    """Return after how many hours without anything new a source is late; None where no limit is declared or built."""
    try:
        return connection.execute(
            "select min(warn_after_hours) from operations.source_freshness where source = ?", [source]
        ).fetchone()[0]
    except duckdb.CatalogException:
        return None


def waiting(warehouse: Path) -> Iterator[Finding]:
    """Yield the loads that were killed on their way into the warehouse."""
    for source in SOURCES:
        if (warehouse.parent / "pipelines" / warehouse.stem / f"load_{source}").exists():
            pipeline = pipeline_of(source, warehouse)
            packages = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
            if packages:
                words = f"{len(packages)} loads were extracted and not finished"
                yield Finding(source, "warning", words, f"python -m load {source}: it finishes them first")


def loading(warehouse: Path) -> Iterator[Finding]:
    """Yield who is loading, source by source, or that nobody is."""
    holders: dict[str, list[str]] = {}
    for source in SOURCES:
        path = load_lock(warehouse, source)
        if path.exists():
            with path.open("a+") as lock:
                try:
                    # Shared: a load that begins just now must not take this for another.
                    flock(lock, LOCK_SH | LOCK_NB)
                except BlockingIOError:
                    lock.seek(0)
                    holders.setdefault(lock.read().strip(), []).append(source)
    for holder, sources in holders.items():
        yield Finding(
            "load", "warning", f"running: {holder}, loading {', '.join(sources)}", "wait until it is done, or end it"
        )
    if not holders:
        yield Finding("load", "good", "nobody is loading")


def drift(connection: duckdb.DuckDBPyConnection) -> Finding:
    """Say whether the last load of a table had other columns than the one before."""
    try:
        rows = connection.execute(
            "select source || '.' || table_name || '.' || column_name || ' ' || change from operations.schema_drift "
            "where is_latest_load order by 1"
        ).fetchall()
    except duckdb.CatalogException:
        return Finding("schema", "note", "not known before the first build")
    if rows:
        words = f"changed in the last load: {', '.join(row for (row,) in rows[:5])}"
        return Finding("schema", "warning", words, 'python -m operate query "from operations.schema_drift"')
    return Finding("schema", "good", "no source has changed its shape in its last load")


def built(warehouse: Path) -> Finding:
    """Say whether what landed has been built, by this version of the project, and has passed."""
    told = last_build(warehouse)
    if "data" not in told:
        return Finding("build", "warning", "the last build failed, or there was none", "python -m operate build")
    if told["data"] != data_fingerprint(warehouse):
        return Finding("build", "warning", "something landed since the last build", "python -m operate run")
    if told.get("written") != written(warehouse):
        return Finding("build", "warning", "somebody has written to it since", "python -m operate build")
    if told["project"] != project_fingerprint({}):
        return Finding("build", "warning", "the project has changed since the last build", "python -m operate build")
    warnings = told["result"].get("warnings", [])
    words = f"up to date, no test failed{f', {len(warnings)} warn' if warnings else ''}"
    return Finding("build", "good", f"{words}; {docs_page().with_name('run.html')}")


def readers(warehouse: Path, published: Path) -> Finding:
    """Say what readers have."""
    try:
        told = publication(published)
    except duckdb.Error as problem:
        words = f"{published} cannot be read: {problem}"
        return Finding("published", "bad", words, "python -m operate rollback, or publish")
    if not told:
        return Finding("published", "note", f"nothing at {published} yet", "python -m operate publish")
    words = f"{told['version']} of {told['published_at']:%Y-%m-%d %H:%M} UTC"
    state = passed_state(warehouse)
    if told["built_from"] == state:
        return Finding("published", "good", words)
    if state is not None and taken_back(published, state):
        return Finding("published", "note", f"{words}; a later one was taken back", "python -m operate publish --again")
    return Finding("published", "note", f"{words}, not what the warehouse holds", "python -m operate publish")
