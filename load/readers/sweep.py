"""What a database never tells: the keys of a table against the keys that landed.

A cursor shows neither rows that were deleted nor rows that were committed behind it. Both show when the keys of the
table are laid beside those of its raw table.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from load.landing import LANDING_COLUMNS, Run, SourceFailed

TOMBSTONES = pa.schema(
    [
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("id", pa.int64(), nullable=False),
        pa.field("is_deleted", pa.bool_(), nullable=False),
        *LANDING_COLUMNS,
    ]
)
"""The raw table of what a sweep found: one row each time that a landed row was gone, or there again."""

ALWAYS_BELIEVED = 20
"""So few deleted rows are never taken for a mistake, whatever share of a small table they are."""

KEYS_AT_ONCE = 100_000


class Swept(NamedTuple):
    """Keys to fetch because they never landed, and what to land because a row is gone or there again."""

    missed: list[int]
    tombstones: pa.Table


def sweep(run: Run, engine: sa.Engine, table: sa.Table, read_now: list[pa.ChunkedArray], most_deleted: float) -> Swept:
    """Compare the keys of a table with those in its raw table and those that this run read.

    Raises SourceFailed when more than `most_deleted` (0 to 1) of the landed rows are gone.
    """
    landed = run.landed_before
    connection, raw = landed.connection, f"warehouse.{landed.schema}"
    there = landed.temporary("select cast(null as bigint) as id limit 0")
    for keys in _keys(engine, table):
        connection.register("keys", pa.table({"id": keys}))
        connection.execute(f"insert into {there} from keys")
    connection.register(
        "read_now", pa.table({"id": pa.chunked_array([c for each in read_now for c in each.chunks], pa.int64())})
    )
    known = landed.temporary(f"select distinct id from {raw}.{table.name} where {landed.complete} and id is not null")
    gone = landed.temporary(
        f"select id from {raw}.tombstones where table_name = '{table.name}' and {landed.complete} "
        "group by id having arg_max(is_deleted, landed_at)"
    )
    deleted = connection.execute(
        f"select id from {known} anti join {there} using (id) anti join {gone} using (id) order by id"
    ).to_arrow_table()["id"]
    returned = connection.execute(f"select id from {gone} semi join {there} using (id) order by id").to_arrow_table()[
        "id"
    ]
    missed = connection.execute(
        f"select id from {there} anti join {known} using (id) anti join read_now using (id) order by id"
    ).to_arrow_table()["id"]
    (before,) = connection.execute(f"select count(*) from {known} anti join {gone} using (id)").fetchone()
    if len(deleted) > max(ALWAYS_BELIEVED, most_deleted * before):
        raise SourceFailed(
            f"{run.source}: {len(deleted):,} of the {before:,} rows of {table.name} that landed are no longer in the "
            f"database. Is it the right one? If they were deleted, set SOURCES__{run.source.upper()}__MOST_DELETED=1."
        )
    return Swept(missed.to_pylist(), _tombstones(run, table.name, deleted, returned))


def _keys(engine: sa.Engine, table: sa.Table) -> Iterator[pa.Array]:
    query = sa.select(table.c.id).where(table.c.id.is_not(None))
    with engine.connect().execution_options(yield_per=KEYS_AT_ONCE) as connection:
        for rows in connection.execute(query).partitions():
            yield pa.array([int(key) for (key,) in rows], pa.int64())


def _tombstones(run: Run, table: str, deleted: Any, returned: Any) -> pa.Table:
    found = [(key, True) for key in deleted.to_pylist()] + [(key, False) for key in returned.to_pylist()]
    return pa.table(
        {
            "table_name": pa.array([table] * len(found), pa.string()),
            "id": pa.array([key for key, _ in found], pa.int64()),
            "is_deleted": pa.array([is_deleted for _, is_deleted in found], pa.bool_()),
            "content_hash": pa.array([f"{run.run_id}/{table}/{key}" for key, _ in found], pa.string()),
        }
    )
