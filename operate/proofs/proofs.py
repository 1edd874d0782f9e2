"""The proofs: each changes what landed in a copy of the warehouse, builds it again and compares the features."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console

from operate.dbt import dbt_on
from operate.paths import copy_warehouse
from operate.proofs import raw
from operate.proofs.compare import Comparison, compare, report

FEATURES = "+config.schema:features"
"""Models alone: `+path:` brings all that the tests in that folder read, too."""
FACTS = {"fct_events": ["source", "event_id"], "fct_order_lines": ["order_line_id"], "fct_sessions": ["session_id"]}
WITH_FACTS = f"{FEATURES} {' '.join('+' + name for name in FACTS)}"
BUT_VIEWS = (
    "--exclude",
    "config.materialized:view,path:models/staging",
    "config.materialized:view,path:models/intermediate",
)
"""For a warehouse that has been built before: its views stand."""


@dataclass
class Workshop:
    """A folder to work in, the warehouse to look at (never written), and the project as dbt reads it by `variables`."""

    folder: Path
    warehouse: Path
    console: Console
    manifest: object
    project: Path = field(default_factory=Path.cwd)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def tables(self) -> list[raw.RawTable]:
        """The raw tables whose declarations tell the time."""
        return raw.raw_tables(self.manifest)

    @property
    def features(self) -> list[tuple[str, list[str]]]:
        """The tables of features, with their keys."""
        return list(raw.feature_tables(self.manifest))

    def copy(self, name: str, source: Path | None = None) -> Path:
        """Return a copy of a warehouse, of the one that is looked at unless another is given."""
        # The name of the warehouse, by which the manifest knows its tables, in a folder of its own.
        path = self.folder / name / self.warehouse.name
        path.parent.mkdir(exist_ok=True)
        copy_warehouse(source or self.warehouse, path)
        return path

    def build(self, warehouse: Path, *arguments: str, select: str = FEATURES) -> None:
        """Run dbt's models of the features on a warehouse; raises `RuntimeError` with dbt's words when it fails."""
        call = ("run", "--vars", json.dumps(self.variables), "--select", *select.split(), *arguments)
        dbt_on(warehouse, self.folder, *call, project=self.project, manifest=self.manifest)


def moments(workshop: Workshop, given: list[datetime]) -> list[datetime]:
    """Return the moments to cut at: those given, or two midnights in the middle of what was known."""
    if given:
        return given
    with duckdb.connect(str(workshop.warehouse), read_only=True) as connection:
        first, last = raw.days_known(connection, [t for t in workshop.tables if t.name == "events"] or workshop.tables)
    midnight = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    return [(first + (last - first) * share).replace(**midnight) for share in (0.5, 0.8)]


def leakage(workshop: Workshop, at: list[datetime]) -> bool:
    """Take away what became known at each moment or later, build again: no feature up to it may move.

    Nor may a row come or go, but in the last two days: serving asks for rows that training does not, and a till tells
    of its day a day later.
    """
    good = True
    for moment in moments(workshop, at):
        then = workshop.copy("then")
        with duckdb.connect(str(then)) as connection:
            gone = raw.cut(connection, workshop.tables, moment)
        if not any(gone.values()):
            raise raw.NothingToProve(
                f"nothing became known at {moment:%Y-%m-%d %H:%M} or later: take an earlier moment with --at"
            )
        workshop.build(then, "--full-refresh")
        where = f"feature_at <= timestamp '{moment}'"
        last_days = f"feature_at > timestamp '{moment}' - interval 2 day"
        found = [
            compare(then, workshop.warehouse, f"features.{table}", key, where, open_to=last_days)
            for table, key in workshop.features
        ]
        title = f"leakage at {moment:%Y-%m-%d %H:%M} ({sum(gone.values()):,} records taken away)"
        good = report(workshop.console, title, found) and good
    return good


def replay(workshop: Workshop, start: datetime | None, days: int) -> bool:
    """Build day by day what became known, then all at once: no row may differ, nor may what was served on a day.

    Nor may it make a difference when the builds of these days were missed and the next one counts in all of them.
    """
    start = start or moments(workshop, [])[-1]
    build, earlier, served = workshop.copy("replay"), workshop.copy("day-0"), []
    for warehouse in (build, earlier):
        with duckdb.connect(str(warehouse)) as connection:
            raw.cut(connection, workshop.tables, start)
    with duckdb.connect(str(build)) as connection:
        raw.land_by(connection, start + timedelta(hours=1))
    workshop.build(build, "--full-refresh", select=WITH_FACTS)
    served.append(serving_rows(workshop, build, "served-0"))
    missed, landed = workshop.copy("missed", build), 0
    for number in range(1, days + 1):
        until = start + timedelta(days=number)
        later = workshop.copy(f"day-{number}")
        with duckdb.connect(str(later)) as connection:
            raw.cut(connection, workshop.tables, until)
        landed += land(workshop, build, later, earlier, until + timedelta(hours=1))
        # When it landed may be all that tells from when something was known: a day's load is that day's.
        land(workshop, missed, later, earlier, until + timedelta(hours=1))
        workshop.build(build, *BUT_VIEWS, select=WITH_FACTS)
        served.append(serving_rows(workshop, build, f"served-{number}"))
        earlier.unlink()
        earlier = later
    if not landed:
        raise raw.NothingToProve(
            f"nothing became known in the {days} days from {start:%Y-%m-%d}: choose others with --from"
        )
    workshop.build(missed, *BUT_VIEWS, select=WITH_FACTS)
    at_once = workshop.copy("at-once", build)
    workshop.build(at_once, "--full-refresh", *BUT_VIEWS, select=WITH_FACTS)
    title = f"replay of {days} days from {start:%Y-%m-%d} ({landed:,} records)"
    good = report(workshop.console, title, features_and_facts(workshop, build, at_once))
    skipped = features_and_facts(workshop, build, missed)
    good = report(workshop.console, f"one build after {days} missed days, and a build a day", skipped) and good
    trained = [
        total(compare(day, at_once, f"features.{table}", key, open_to="true") for day in served)
        for table, key in workshop.features
    ]
    return report(workshop.console, "served on the day, and read in training", trained) and good


def land(workshop: Workshop, build: Path, later: Path, earlier: Path, landed_at: datetime) -> int:
    """Land in `build` what a warehouse holds beyond an earlier one, at a moment (UTC); return how many records."""
    with duckdb.connect(str(build)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{later}' as later (read_only)")
        connection.execute(f"attach '{earlier}' as earlier (read_only)")
        return raw.land_difference(connection, workshop.tables, "later", "earlier", landed_at)


def serving_rows(workshop: Workshop, warehouse: Path, name: str) -> Path:
    """Keep the rows that a service would ask for now, those of the last feature_at, in a file of their own."""
    path = workshop.folder / f"{name}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
        connection.execute("create schema features")
        for table, _ in workshop.features:
            source = f"warehouse.features.{table}"
            last = f"(select max(feature_at) from {source})"
            connection.execute(f"create table features.{table} as from {source} where feature_at = {last}")
    return path


def features_and_facts(workshop: Workshop, before: Path, after: Path) -> list[Comparison]:
    """Compare all tables of features, and the facts, of two warehouses."""
    tables = [(f"features.{table}", key) for table, key in workshop.features]
    tables += [(f"core.{table}", key) for table, key in FACTS.items()]
    return [compare(before, after, table, key) for table, key in tables]


def total(comparisons: Iterable[Comparison]) -> Comparison:
    """Add up comparisons of one table."""
    first, *others = comparisons
    for other in others:
        first.rows, first.values = first.rows + other.rows, first.values + other.values
        first.note(other.differing, other.examples)
    return first


def order(workshop: Workshop, seed: int) -> bool:
    """Put what landed in another order and other files, land some of it twice, build again: nothing may differ."""
    shuffled = workshop.copy("shuffled")
    with duckdb.connect(str(shuffled)) as connection:
        changed = raw.shuffle(connection, workshop.tables, seed)
    workshop.build(shuffled, "--full-refresh", select=WITH_FACTS)
    found = features_and_facts(workshop, workshop.warehouse, shuffled)
    return report(workshop.console, f"order ({changed:,} records moved or repeated)", found)


def conservation(workshop: Workshop) -> bool:
    """Count what landed in the raw tables themselves, and what the books say became of it: nothing may be missing."""
    good = True
    with duckdb.connect(str(workshop.warehouse), read_only=True) as connection:
        books = connection.execute("""
            select source, sum(records_landed), sum(records_accepted), sum(records_rejected),
                sum(records_duplicate)
            from operations.landed_records group by source order by source
        """).fetchall()
        for source, landed, accepted, rejected, duplicate in books:
            names = sorted({s.name for s in workshop.manifest.sources.values() if s.schema == f"raw_{source}"})
            counted = sum(
                connection.execute(
                    f"""select count(*) from raw_{source}.{name} where _dlt_load_id in
                    (select load_id from raw_{source}._dlt_loads where status = 0)"""
                ).fetchone()[0]
                for name in names
                if name not in ("manifest", "_dlt_loads")
            )
            adds_up = counted == landed == accepted + rejected + duplicate
            good = good and adds_up
            sign = "[green]✓[/green]" if adds_up else "[red]✗[/red]"
            workshop.console.print(
                f"{sign} conservation: {source}: {counted:,} records in raw, "
                f"{landed:,} in the books = {accepted:,} accepted + {rejected:,} rejected + {duplicate:,} duplicate",
                highlight=False,
                soft_wrap=True,
            )
    if not books:
        raise raw.NothingToProve("the books are empty: build first, with dbt build")
    return good
