"""Tables of any database that SQLAlchemy speaks to, read through dlt's `sql_database` in chunks of Arrow.

Every column is asked for as text and given its declared type here: so SQLite's dates in text, MySQL's booleans in
numbers and PostgreSQL's own types arrive alike, and a column that turned into something else neither fails the load nor
is guessed at. What a database does that the raw table cannot hold is said in the manifest:

| in the database | lands as |
|---|---|
| a column is missing | null, noted |
| a further column | not landed, noted |
| a value that is not of the declared type | null, its text in `misfits` by the column's name; noted with a count |
| a time without offset | UTC |
| a time with an offset | the same moment in UTC |
| the cursor column is null | read by every run, landed when its content is new |
| a row committed behind the cursor, later than the lag | found by the sweep of the keys, landed |
| a row that was landed is gone | a tombstone (`is_deleted`), found by the sweep of the keys |
| it is there again | a tombstone that says so (`is_deleted` false) |
| a large part of the rows is gone at once | nothing; the source fails and says how to confirm it |
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from dlt.sources.sql_database import TableLoader

from load.landing import LANDING_COLUMNS, Run, SourceFailed, engine_type, read_until
from load.readers.sweep import sweep

CHUNK_ROWS = 50_000
IDS_AT_ONCE = 1_000
KEY = ("id", "content_hash")
LANDING_NAMES = {column.name for column in LANDING_COLUMNS}

Condition = Callable[[sa.Table], sa.ColumnElement[bool] | None]


def engine_of(source: str, credentials: str) -> sa.Engine:
    """Return an engine for a SQLAlchemy URL, psycopg 3 for PostgreSQL, its sessions in UTC.

    Raises SourceFailed, never naming the password, when the URL, its driver or the database is not there.
    """
    variable = f"SOURCES__{source.upper()}__CREDENTIALS"
    for plain in ("postgres://", "postgresql://"):
        if credentials.startswith(plain):
            credentials = "postgresql+psycopg://" + credentials.removeprefix(plain)
    try:
        url = sa.make_url(credentials)
        file = url.database if url.get_backend_name() == "sqlite" else None
        if file and not file.startswith("file:") and not Path(file).exists():
            raise SourceFailed(f"{source}: there is no database file {file}. Check {variable}.")
        engine = sa.create_engine(url)
        settings = {
            "postgresql": ["set timezone = 'UTC'", "set datestyle = 'ISO'"],
            "mysql": ["set time_zone = '+00:00'"],
        }

        @sa.event.listens_for(engine, "connect")
        def speak_utc(connection: Any, _: Any) -> None:
            for statement in settings.get(url.get_backend_name(), []):
                connection.cursor().execute(statement)
            connection.commit()  # or the pool rolls the settings back

        with engine.connect():
            pass
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
        raise SourceFailed(
            f"{source}: {variable} needs a driver that is not installed: {error}. pip install it."
        ) from None
    except sa.exc.ArgumentError:
        raise SourceFailed(
            f"{source}: {variable} is not a SQLAlchemy URL like postgresql://user:password@host/shop."
        ) from None
    except sa.exc.SQLAlchemyError as error:
        where = url.render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise SourceFailed(
            f"{source}: cannot connect to {where}: {reason}. Check {variable} and that the server runs."
        ) from None
    return engine


def changed_since(table: sa.Table, cursor: str, since: date | None) -> sa.ColumnElement[bool] | None:
    """Return the condition for rows whose cursor lies on or after a day, or is null; None (all rows) without a day."""
    if since is None or cursor not in table.c:
        return None
    column = table.c[cursor]
    if isinstance(column.type, sa.DateTime) and table.metadata.info.get("dialect") != "sqlite":
        moment = datetime(since.year, since.month, since.day, tzinfo=UTC)
        return sa.or_(column.is_(None), column >= (moment if column.type.timezone else moment.replace(tzinfo=None)))
    # Dates in text sort as text; whatever does not look like a date is read every time rather than lost.
    text = sa.cast(column, sa.String)
    return sa.or_(column.is_(None), text >= since.isoformat(), text.not_like("____-__-__%"))


def reflect(source: str, engine: sa.Engine, names: Iterator[str], schema: str | None) -> dict[str, sa.Table]:
    """Return the tables or views of these names that the database has."""
    metadata = sa.MetaData(schema=schema)
    metadata.info["dialect"] = engine.dialect.name
    tables = {}
    for name in names:
        try:
            tables[name] = sa.Table(name, metadata, autoload_with=engine, resolve_fks=False)
        except sa.exc.NoSuchTableError:
            continue
    return tables


def land_table(
    run: Run,
    engine: sa.Engine,
    table: sa.Table,
    columns: pa.Schema,
    condition: sa.ColumnElement[bool] | None,
    cursor: str | None = None,
    most_deleted: float | None = None,
) -> Iterator[Any]:
    """Yield, for dlt, the row versions of a table that are not landed yet, tombstones, and their manifest rows.

    `condition` narrows what is read; `cursor` names the column whose greatest value says how far it was read.
    `most_deleted` is the share of the landed rows, 0 to 1, that may be gone before it is taken for a mistake; None
    leaves the keys unswept. Memory is bounded by CHUNK_ROWS rows and, for a sweep, 8 bytes a row that was read.
    """
    reading = run.start(table.name, table.name, run.landed_before.keys(table.name, KEY))
    reading.columns = json.dumps({column.name: _kind(column) for column in table.c})
    wanted = [column for column in columns if column.name not in LANDING_NAMES]
    if missing := [column.name for column in wanted if column.name not in (*table.c.keys(), "misfits")]:
        reading.note(f"the database has no column {', '.join(missing)}: null")
    if extra := [column.name for column in table.c if column.name not in columns.names]:
        reading.note(f"not landed: column {', '.join(extra)}")
    latest: datetime | None = None
    unfit: Counter[str] = Counter()
    ids: list[pa.Array] = []
    with duckdb.connect() as typing:
        typing.execute("set TimeZone = 'UTC'")
        for chunk in _chunks(engine, table, wanted, condition):
            typed = _typed(typing, chunk, wanted, unfit)
            # A copy: a column of the engine's result would keep all its columns in memory.
            ids.append(pa.array(typed["id"].drop_null().to_numpy().copy()))
            if cursor in typed.column_names:
                latest = max(filter(None, [latest, _greatest(typed, cursor)]), default=None)
            yield from run.land(reading, typed)
        tombstones = run.start("tombstones", table.name) if most_deleted is not None else None
        if tombstones:
            swept = sweep(run, engine, table, ids, most_deleted)
            for some in (swept.missed[at : at + IDS_AT_ONCE] for at in range(0, len(swept.missed), IDS_AT_ONCE)):
                for chunk in _chunks(engine, table, wanted, table.c.id.in_(some)):
                    yield from run.land(reading, _typed(typing, chunk, wanted, unfit))
            yield from run.land(tombstones, swept.tombstones)
    for name, count in unfit.items():
        reading.note(f"{count:,} values of {name} are not {columns.field(name).type}: null")
    reading.cursor_until = read_until(latest, reading)
    yield from run.finish(reading, *([tombstones] if tombstones else []))


def _chunks(
    engine: sa.Engine, table: sa.Table, wanted: list[pa.Field], condition: sa.ColumnElement[bool] | None
) -> Iterator[pa.Table]:
    present = [column.name for column in wanted if column.name in table.c]

    def as_text(_: Any, table: sa.Table) -> sa.Select[Any]:
        query = sa.select(*(sa.cast(table.c[name], sa.String).label(name) for name in present))
        return query if condition is None else query.where(condition)

    hints = {name: {"name": name, "data_type": "text", "nullable": True} for name in present}
    yield from TableLoader(
        engine, "pyarrow", table, hints, chunk_size=CHUNK_ROWS, query_adapter_callback=as_text
    ).load_rows()


def since(run: Run, table: str, lag_days: int) -> date | None:
    """Return the day from which a table is to be read again: `lag_days` before what was read, None at first."""
    until = run.landed_before.cursor(table)
    return (datetime.fromisoformat(until) - timedelta(days=lag_days)).date() if until else None


def _typed(typing: duckdb.DuckDBPyConnection, chunk: pa.Table, wanted: list[pa.Field], unfit: Counter[str]) -> pa.Table:
    # No table in between: what an in-memory engine drops it does not give back.
    typing.register("chunk", chunk)
    values = {
        field.name: _converted(field) if field.name in chunk.column_names else f"cast(null as {engine_type(field)})"
        for field in wanted
    }
    row = ", ".join(f'"{name}" := "{name}"' for name in values)

    def typed() -> pa.Table:
        columns = ", ".join(f'{value} as "{name}"' for name, value in values.items())
        hashed = f"select *, sha256(to_json(struct_pack({row}))) as content_hash from (select {columns} from chunk)"
        return typing.execute(hashed).to_arrow_table()

    read = typed()
    lost = {name: _lost(chunk[name], read[name]) for name in values if name in chunk.column_names}
    if any(lost.values()):
        unfit.update({name: count for name, count in lost.items() if count})
        texts = ", ".join(
            f"{{'key': '{name}', 'value': case when {values[name]} is null then chunk.\"{name}\" end}}"
            for name, count in lost.items()
            if count
        )
        kept = f"map_from_entries(list_filter([{texts}], lambda each: each.value is not null))"
        values["misfits"] = f"nullif(cast(to_json({kept}) as varchar), '{{}}')"
        read = typed()
    return read.cast(pa.schema([*wanted, LANDING_COLUMNS[0]]))


def _lost(texts: pa.ChunkedArray, values: pa.ChunkedArray) -> int:
    """Return how many texts that say something became no value."""
    if values.null_count == texts.null_count:
        return 0
    says_something = pc.not_equal(pc.utf8_trim_whitespace(texts.cast(pa.string())), "")
    return pc.sum(pc.and_(pc.is_null(values), says_something)).as_py() or 0


def _converted(field: pa.Field) -> str:
    value = f'"{field.name}"'
    if field.type == pa.string():
        return value
    converted = f"try_cast({value} as {engine_type(field)})"
    if field.type == pa.int64():
        # '1.5' would be rounded to 2 without a word, '1.0' is how SQLite writes some whole numbers.
        return f"case when not contains({value}, '.') or try_cast({value} as double) = {converted} then {converted} end"
    return converted


def _kind(column: sa.Column) -> str:
    return "untyped" if isinstance(column.type, sa.types.NullType) else str(column.type).lower()


def _greatest(typed: pa.Table, column: str) -> datetime | None:
    return pa.compute.max(typed.column(column)).as_py()
