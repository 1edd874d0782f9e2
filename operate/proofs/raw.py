"""The raw tables as they were at a moment, by what their declarations say of when a record was known."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from dbt.cli.main import dbtRunner

LANDING_COLUMNS = ("landed_at", "_dlt_load_id", "content_hash", "_dlt_id")


class NothingToProve(Exception):
    """There is nothing that could be compared: a proof of nothing is none."""


@dataclass(frozen=True)
class RawTable:
    """A raw table, and what its declaration (models/staging/<source>/raw_<source>.yml, `meta`) says of time.

    `known_at`: SQL over a row that gives from when it was known; null for a row that nothing is made of.
    `follows`: the table and key of the rows that it is known with, instead.
    `as_of`: SQL assignments, and where, that put back what changed in a row at `moment` or later.
    """

    schema: str
    name: str
    known_at: str | None
    follows: tuple[str, str] | None
    as_of: str | None

    @property
    def relation(self) -> str:
        """The table's name in SQL."""
        return f"{self.schema}.{self.name}"


def parsed_project(variables: dict[str, Any] | None = None) -> object:
    """Return dbt's manifest of the project, with other `variables` if given; raises `RuntimeError` when it has none."""
    result = dbtRunner().invoke(["--quiet", "--log-level", "none", "parse", "--vars", json.dumps(variables or {})])
    if not result.success:
        raise RuntimeError(f"dbt cannot read the project: {result.exception}")
    return result.result


def raw_tables(manifest: object) -> list[RawTable]:
    """Return the raw tables that a declaration tells the time of, those that others follow first."""
    tables = []
    for source in manifest.sources.values():
        meta = source.config.meta or source.meta
        if "known_at" in meta or "follows" in meta:
            follows = (meta["follows"]["table"], meta["follows"]["key"]) if "follows" in meta else None
            tables.append(RawTable(source.schema, source.name, meta.get("known_at"), follows, meta.get("as_of")))
    return sorted(tables, key=lambda table: (table.follows is not None, table.relation))


def timeless(manifest: object) -> list[str]:
    """Return the raw tables whose declaration tells no time: proofs leave them whole."""
    told = {table.relation for table in raw_tables(manifest)}
    bookkeeping = ("manifest", "_dlt_loads")
    names = {f"{source.schema}.{source.name}" for source in manifest.sources.values() if source.name not in bookkeeping}
    return sorted(names - told)


def cut(connection: duckdb.DuckDBPyConnection, tables: list[RawTable], moment: datetime) -> dict[str, int]:
    """Take away what became known at `moment` (UTC) or later; return by table how many rows went.

    Raises `duckdb.Error` when a declaration does not fit its table.
    """
    connection.execute("set TimeZone = 'UTC'")
    literal, gone = f"timestamptz '{moment}+00'", {}
    for table in tables:
        if table.follows:
            parent, key = table.follows
            late = f"{key} not in (select id from {table.schema}.{parent})"
        else:
            late = f"({table.known_at}) >= {literal}"
        gone[table.relation] = connection.execute(f"delete from {table.relation} where {late}").fetchone()[0]
        if table.as_of:
            connection.execute(f"update {table.relation} set {table.as_of.replace('moment', literal)}")
    return gone


def land_by(connection: duckdb.DuckDBPyConnection, moment: datetime) -> None:
    """Let no raw record have landed later than a moment (UTC): a shop as it was then had loaded all by then."""
    connection.execute("set TimeZone = 'UTC'")
    landed = f"timestamptz '{moment:%Y-%m-%d %H:%M:%S}+00'"
    found = connection.execute("""
        select table_schema || '.' || table_name from information_schema.columns
        where
            table_catalog = current_database()
            and starts_with(table_schema, 'raw_')
            and column_name = 'landed_at'
    """).fetchall()
    for (relation,) in found:
        connection.execute(f"update {relation} set landed_at = {landed} where landed_at > {landed}")


def days_known(connection: duckdb.DuckDBPyConnection, tables: list[RawTable]) -> tuple[datetime, datetime]:
    """Return between which moments, UTC, things became known, but for one in a hundred at either end."""
    connection.execute("set TimeZone = 'UTC'")
    moments = " union all ".join(
        f"select cast({table.known_at} as timestamp) as known_at from {table.relation}"
        for table in tables
        if table.known_at
    )
    first, last = connection.execute(
        f"select quantile_disc(known_at, 0.01), quantile_disc(known_at, 0.99) from ({moments})"
    ).fetchone()
    if first is None:
        raise NothingToProve("nothing has landed yet: python -m load")
    return first, last


def columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Return the names of a table's columns."""
    return [row[0] for row in connection.execute(f"describe {relation}").fetchall()]


def land_difference(
    connection: duckdb.DuckDBPyConnection, tables: list[RawTable], later: str, earlier: str, landed_at: datetime
) -> int:
    """Land what the attached database `later` holds beyond `earlier`, as one load; return how many rows that is.

    A row that changed lands once more, as a version; `landed_at` (UTC) is when. Bookkeeping columns are the load's.
    """
    load_id, landed = f"replay-{landed_at:%Y-%m-%d}", 0
    for table in tables:
        names = columns(connection, table.relation)
        told = [name for name in names if name not in LANDING_COLUMNS]
        text = ", ".join(f'"{name}"' for name in told)
        new = f"select {text} from {later}.{table.relation} except all select {text} from {earlier}.{table.relation}"
        values = {
            "landed_at": f"timestamptz '{landed_at:%Y-%m-%d %H:%M:%S}+00'",
            "_dlt_load_id": f"'{load_id}'",
            "_dlt_id": "uuid()",
            "content_hash": f"sha256(cast(row({text}) as varchar))",
        }
        selected = ", ".join(values.get(name, f'"{name}"') for name in names)
        landed += connection.execute(f"insert into {table.relation} select {selected} from ({new})").fetchone()[0]
    for schema in {table.schema for table in tables}:
        complete_load(connection, schema, load_id)
    return landed


def complete_load(connection: duckdb.DuckDBPyConnection, schema: str, load_id: str) -> None:
    """Note in a schema's books that a load was completed."""
    names = columns(connection, f"{schema}._dlt_loads")
    values = ", ".join(f"'{load_id}'" if name == "load_id" else f'"{name}"' for name in names)
    connection.execute(f"insert into {schema}._dlt_loads select {values} from {schema}._dlt_loads limit 1")


def shuffle(connection: duckdb.DuckDBPyConnection, tables: list[RawTable], seed: int) -> int:
    """Put the records of event files in another order and other files, land some again; return how many changed.

    The order of events must not matter, nor must it matter that something lands twice: one record in twenty does.
    """
    changed = 0
    for table in tables:
        names = columns(connection, table.relation)
        place = f"hash(content_hash, {seed})"
        if table.name == "events" and "source_line" in names:
            changed += connection.execute(f"""
                update {table.relation} as records set source_file = 'shuffled-' || (number % 7), source_line = number
                from (
                    select rowid as id, row_number() over (order by {place}, rowid) as number from {table.relation}
                ) as places
                where records.rowid = places.id and records.source_line is not null
            """).fetchone()[0]
        again = {"_dlt_load_id": "'again'", "_dlt_id": "uuid()", "source_line": "source_line + 100000000"}
        selected = ", ".join(again.get(name, f'"{name}"') for name in names)
        changed += connection.execute(
            f"insert into {table.relation} select {selected} from {table.relation} where {place} % 20 = 0"
        ).fetchone()[0]
    for schema in {table.schema for table in tables}:
        complete_load(connection, schema, "again")
    return changed


def feature_tables(manifest: object) -> Iterator[tuple[str, list[str]]]:
    """Yield each published table of features with the columns that tell its rows apart, from its `unique_key` test."""
    keys = {
        test.attached_node: test.test_metadata.kwargs["columns"]
        for test in manifest.nodes.values()
        if getattr(getattr(test, "test_metadata", None), "name", None) == "unique_key"
    }
    for node in manifest.nodes.values():
        if node.resource_type == "model" and node.schema == "features":
            yield node.name, keys[node.unique_id]
