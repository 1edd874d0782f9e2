"""Says before publishing what readers will find changed: tables, columns, rows, how far features have drifted."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
from dbt_features.parser import load_manifest
from rich.console import Console
from rich.table import Table

from operate.literals import literal
from operate.publish import marts

LEAST = 500
"""With fewer rows in what readers have, the index says more of chance than of drift."""
OF_A_DAY = "_1d"
"""What such features say of a Sunday is another thing than of a Monday: they are shown, and stop nothing."""
NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "BOOLEAN")
PSI = """
with edges as (select {edges} as edges from readers_have.{table} where {recent_old}),
binned as (
    select case when {name} is null then 'null' else {bins} end as bin, 1 as before, 0 as after
    from readers_have.{table} cross join edges where {recent_old}
    union all
    select case when {name} is null then 'null' else {bins} end as bin, 0 as before, 1 as after
    from {table} cross join edges where {recent_new}
),
shares as (
    select
        greatest(sum(before) / sum(sum(before)) over (), 0.0001) as before,
        greatest(sum(after) / sum(sum(after)) over (), 0.0001) as after
    from binned group by bin
)
select sum((after - before) * ln(after / before)) from shares
"""


@dataclass(frozen=True)
class Change:
    """What publishing changes in a table: rows before and after (None: no such table), new and gone by key, columns.

    `added` and `gone` are None where no key is known. `tests` is how many tests guard the table.
    """

    table: str
    before: int | None
    after: int | None
    added: int | None
    gone: int | None
    columns: tuple[str, ...]
    tests: int


@dataclass(frozen=True)
class Plan:
    """What publishing changes, and each feature's population stability index against what readers have now."""

    changes: list[Change]
    drift: dict[str, float]

    def beyond(self, limit: float) -> dict[str, float]:
        """Return the features that drifted further than a limit, furthest first, without those of one day."""
        furthest = sorted(self.drift.items(), key=lambda item: -item[1])
        return {name: psi for name, psi in furthest if psi > limit and not name.endswith(OF_A_DAY)}


def plan(warehouse: Path, published: Path | None, artifacts: Path) -> Plan:
    """Compare what was built with what readers have, if they have anything.

    Raises `duckdb.Error` when either cannot be read.
    """
    nodes = load_manifest(".", manifest_path=artifacts / "manifest.json")["nodes"]
    keys, tests = guarded(nodes)
    # The warehouse is opened by itself: it is known by its own name then, as its views know it.
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if published is not None:
            connection.execute(f"attach {literal(str(published))} as readers_have (read_only)")
        (name,) = connection.execute("select current_database()").fetchone()
        new, old = columns_of(connection, name), columns_of(connection, "readers_have")
        modelled = {f"{node['schema']}.{node['name']}" for node in nodes.values() if node["resource_type"] == "model"}
        new = {table: columns for table, columns in new.items() if table in modelled or not modelled}
        changes = [
            change(connection, table, old.get(table), new.get(table), keys.get(table), tests[table])
            for table in sorted(new.keys() | old.keys())
        ]
        drift = {}
        for table in sorted(new.keys() & old.keys()):
            if table.startswith("features."):
                drift |= drifted(connection, table, old[table], new[table], keys.get(table) or [])
    return Plan(changes, drift)


def guarded(nodes: dict[str, dict]) -> tuple[dict[str, list[str]], Counter[str]]:
    """Return the key of each table, as its tests say, and how many tests look at it, both by `schema.table`."""
    names = {unique_id: f"{node['schema']}.{node['name']}" for unique_id, node in nodes.items()}
    keys: dict[str, list[str]] = {}
    tests: Counter[str] = Counter()
    for node in nodes.values():
        if node["resource_type"] == "test":
            tests.update(names[parent] for parent in node["depends_on"]["nodes"] if parent in names)
            metadata, attached = node.get("test_metadata") or {}, names.get(node.get("attached_node"))
            if attached and metadata.get("name") == "unique_key":
                keys[attached] = metadata["kwargs"]["columns"]
            elif attached and metadata.get("name") == "unique":
                keys.setdefault(attached, [metadata["kwargs"]["column_name"]])
    return keys, tests


def columns_of(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """Return the columns and types of each published table of a database, without what only the copy has.

    A view of marts has no rows of its own and is left out.
    """
    tables = {".".join(name) for name, view in marts(connection, database).items() if view is None}
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? order by table_name, column_index",
        [database],
    ).fetchall()
    for table, column, kind in rows:
        if table in tables and table != "operations.publication":
            found.setdefault(table, {})[column] = kind
    return found


def change(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    old: dict[str, str] | None,
    new: dict[str, str] | None,
    key: list[str] | None,
    tests: int,
) -> Change:
    """Return what changes in a table. `old` and `new` are its columns, None when it is not there."""

    def number(query: str) -> int:
        return connection.execute(f"select count(*) from {query}").fetchone()[0]

    before = None if old is None else number(f"readers_have.{table}")
    after = None if new is None else number(table)
    if old is None or new is None:
        return Change(table, before, after, after, before, (), tests)
    columns = [f"+{name} {new[name]}" for name in new if name not in old]
    columns += [f"-{name}" for name in old if name not in new]
    columns += [f"{name} {old[name]} → {new[name]}" for name in new if name in old and old[name] != new[name]]
    added = gone = None
    if key and all(name in old and name in new for name in key):
        same = " and ".join(f"this.{name} is not distinct from that.{name}" for name in key)
        added = number(f"{table} as this anti join readers_have.{table} as that on {same}")
        gone = number(f"readers_have.{table} as this anti join {table} as that on {same}")
    return Change(table, before, after, added, gone, tuple(columns), tests)


def drifted(
    connection: duckdb.DuckDBPyConnection, table: str, old: dict[str, str], new: dict[str, str], key: list[str]
) -> dict[str, float]:
    """Return the population stability index of each feature of a table, over the last day of either side.

    That day has a row for everything that a service asks for. Numbers are binned by tenths of what readers have, texts
    by value, those of less than a hundredth together. A table that has lost more than half of its rows of that day has
    drifted beyond any limit.
    """
    if "feature_at" not in old.keys() & new.keys():
        return {}
    recent = {side: f"feature_at = (select max(feature_at) from {side})" for side in (f"readers_have.{table}", table)}
    sizes = [
        connection.execute(f"select count(*) from {side} where {rows}").fetchone()[0] for side, rows in recent.items()
    ]
    if sizes[0] < LEAST:
        return {}
    if sizes[1] < sizes[0] / 2:
        return {f"{table} has {sizes[1]:,} rows on its last day, {sizes[0]:,} before": float("inf")}
    found = {}
    for name, kind in new.items():
        comparable = {old.get(name), kind} <= set(NUMBERS) or old.get(name) == kind == "VARCHAR"
        if name in key or not comparable:
            continue
        if kind == "VARCHAR":
            edges = f"map_from_entries(list_filter(map_entries(histogram({name})), e -> e.value * 100 >= {sizes[0]}))"
            bins = f"case when map_contains(edges, {name}) then '=' || {name} else 'rare' end"
        else:
            edges = f"quantile_disc(cast({name} as double), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])"
            bins = f"cast(len(list_filter(edges, e -> e < cast({name} as double))) as varchar)"
        query = PSI.format(
            name=name,
            table=table,
            edges=edges,
            bins=bins,
            recent_old=recent[f"readers_have.{table}"],
            recent_new=recent[table],
        )
        found[f"{table}.{name}"] = connection.execute(query).fetchone()[0]
    return found


def show(console: Console, made: Plan, limit: float) -> None:
    """Print a plan: a row a table, then the features that drifted most."""
    table = Table(title="What readers will find", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("table")
    for name in ("rows", "new", "gone", "tests"):
        table.add_column(name, justify="right")
    table.add_column("columns")
    for entry in made.changes:
        if entry.after is None:
            words = "[red]the table is gone[/red]"
        elif entry.before is None:
            words = "[green]a new table[/green]"
        else:
            words = ", ".join(entry.columns)
        numbers = ("" if n is None else f"{n:,}" for n in (entry.after, entry.added, entry.gone, entry.tests))
        table.add_row(entry.table, *numbers, words)
    console.print(table)
    if made.drift:
        furthest = sorted(((name, psi) for name, psi in made.drift.items() if psi > 0), key=lambda item: -item[1])[:5]
        console.print(f"\n[bold]Drift[/bold] of {len(made.drift)} features on the last day (PSI, limit {limit}):")
        for name, psi in furthest:
            console.print(f"  {psi:6.3f}  {name}", style="red" if name in made.beyond(limit) else None, highlight=False)
        if not furthest:
            console.print("  none")
