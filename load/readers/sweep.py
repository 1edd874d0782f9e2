"""What a database never tells: the keys of a table against the keys that landed.

A cursor shows neither rows that were deleted nor rows that were committed behind it. Both show when the keys of the
table are laid beside those of its raw table. The database sums its keys up, ten thousand in a range, by their count and
two sums of remainders; only ranges that differ from what landed are looked at key by key.
"""

from typing import NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from load.landing import LANDING_COLUMNS, Landed, Run, SourceFailed

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

RANGE = 10_000
RANGE_OF, ONE, OTHER = f"id - id % {RANGE}", "sum(id % 1000003)", "sum((id % 46337) * (id % 46337))"
RANGES_AT_ONCE = 100


class Swept(NamedTuple):
    """Keys to fetch because they never landed, and what to land because a row is gone or there again."""

    missed: list[int]
    tombstones: pa.Table


def sweep(run: Run, engine: sa.Engine, table: sa.Table, read_now: list[pa.Array], most_deleted: float) -> Swept:
    """Compare the keys of a table with those in its raw table and those that this run read.

    Raises SourceFailed when more than `most_deleted` (0 to 1) of the landed rows are gone.
    """
    landed = run.landed_before
    query, raw = landed.connection.execute, f"warehouse.{landed.schema}"
    landed.connection.register("read_now", pa.table({"id": pa.chunked_array(read_now, pa.int64())}))
    known = landed.temporary(f"select distinct id from {raw}.{table.name} where {landed.complete} and id is not null")
    gone = landed.temporary(
        f"select id from {raw}.tombstones where table_name = '{table.name}' and {landed.complete} "
        "group by id having arg_max(is_deleted, landed_at)"
    )
    standing = landed.temporary(f"from {known} anti join {gone} using (id)")
    expected = f"from {standing} union from read_now"
    ours = f"select {RANGE_OF} as start, count(*) as keys, {ONE} as one, {OTHER} as other from ({expected}) group by 1"
    differing = landed.temporary(
        f"select coalesce(theirs.start, ours.start) as start from {_their_ranges(landed, engine, table)} as theirs "
        f"full join ({ours}) as ours using (start) "
        "where (theirs.keys, theirs.one, theirs.other) is distinct from (ours.keys, ours.one, ours.other)"
    )
    theirs = _keys(landed, engine, table, [start for (start,) in query(f"from {differing}").fetchall()])
    looked_at = f"semi join {differing} on {RANGE_OF} = start order by id"
    deleted = query(f"select id from (from {standing} anti join {theirs} using (id)) {looked_at}").fetchall()
    # A row that was read now is there, whatever became of it since.
    returned = query(
        f"select id from {gone} where id in (from read_now) or id in (select id from {theirs} {looked_at}) order by id"
    ).fetchall()
    missed = query(
        f"select id from (from {theirs} anti join {known} using (id) anti join read_now using (id)) {looked_at}"
    ).fetchall()
    (before,) = query(f"select count(*) from {standing}").fetchone()
    if len(deleted) > max(ALWAYS_BELIEVED, most_deleted * before):
        raise SourceFailed(
            f"{run.source}: {len(deleted):,} of the {before:,} rows of {table.name} that landed are no longer in the "
            f"database. Is it the right one? If they were deleted, set SOURCES__{run.source.upper()}__MOST_DELETED=1."
        )
    return Swept([key for (key,) in missed], _tombstones(run, table.name, deleted, returned))


def _their_ranges(landed: Landed, engine: sa.Engine, table: sa.Table) -> str:
    """Return the name of a table with what the database says of each range of keys."""
    key = _key(table)
    start = key - key % RANGE
    sums = [sa.func.count(), sa.func.sum(key % 1_000_003), sa.func.sum((key % 46_337) * (key % 46_337))]
    with engine.connect() as connection:
        rows = connection.execute(sa.select(start, *sums).where(table.c.id.is_not(None)).group_by(start)).fetchall()
    named = zip(("start", "keys", "one", "other"), zip(*rows, strict=True) if rows else [[]] * 4, strict=True)
    landed.connection.register(
        "ranges", pa.table({name: pa.array(map(int, column), pa.int64()) for name, column in named})
    )
    return landed.temporary("from ranges")


def _keys(landed: Landed, engine: sa.Engine, table: sa.Table, starts: list[int]) -> str:
    """Return the name of a table with the database's keys in some ranges, perhaps with a few beside them."""
    name, key = landed.temporary("select cast(null as bigint) as id limit 0"), _key(table)
    for some in (starts[at : at + RANGES_AT_ONCE] for at in range(0, len(starts), RANGES_AT_ONCE)):
        near = sa.or_(*(sa.and_(key > start - RANGE, key < start + RANGE) for start in some))
        with engine.connect() as connection:
            keys = pa.array([int(each) for (each,) in connection.execute(sa.select(key).where(near))], pa.int64())
        landed.connection.register("keys", pa.table({"id": keys}))
        landed.connection.execute(f"insert into {name} from keys")
    return name


def _key(table: sa.Table) -> sa.ColumnElement[int]:
    return table.c.id if isinstance(table.c.id.type, sa.Integer) else sa.cast(table.c.id, sa.BigInteger)


def _tombstones(run: Run, table: str, deleted: list[tuple[int]], returned: list[tuple[int]]) -> pa.Table:
    found = [(key, True) for (key,) in deleted] + [(key, False) for (key,) in returned]
    return pa.table(
        {
            "table_name": pa.array([table] * len(found), pa.string()),
            "id": pa.array([key for key, _ in found], pa.int64()),
            "is_deleted": pa.array([is_deleted for _, is_deleted in found], pa.bool_()),
            "content_hash": pa.array([f"{run.run_id}/{table}/{key}" for key, _ in found], pa.string()),
        }
    )
