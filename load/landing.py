"""The landing record, the manifest, and how a reader hands over what it read.

What a source sent lands as it came, in the schema `raw_<source>`. Three rules hold for all sources:

- **Keyed.** A record's key is where it stood and what it said: (source_file, source_line or source_key, content_hash);
  for a database row (id, content_hash). A key that is landed is counted as *unchanged* and does not land again. It is
  held against what stood there last: a value that goes back to what it was lands again.
- **The warehouse remembers.** What is landed, and how far an API or a database was read, is looked up in the manifest
  and the raw tables, never in dlt's local state: the working folder may be lost. Only loads that dlt marked complete
  count (`_dlt_loads.status = 0`); rows that a crash left without one are landed again, and staging ignores them.
- **Nothing new, no load.** A source without news writes nothing at all, no manifest row either. What was read
  and what landed therefore agree within every row of the manifest; a file that is skipped keeps its earlier row.

A failure while reading does not undo what was read before it: that lands, its manifest row carries the error and no
cursor, so the next run starts from where the last complete reading ended.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import dlt
import duckdb
import pyarrow as pa
import pyarrow.compute as pc

BATCH_BYTES = 16 * 1024 * 1024
"""Records wait until there are so many of them: dlt and Parquet want few large batches, memory wants small ones."""

TIMESTAMP = pa.timestamp("us", tz="UTC")

LANDING_COLUMNS = [
    pa.field("content_hash", pa.string(), nullable=False),
    pa.field("landed_at", TIMESTAMP, nullable=False),
    pa.field("_dlt_load_id", pa.string(), nullable=False),
]

RECORD = pa.schema(
    [
        pa.field("payload", pa.string(), nullable=False),
        pa.field("payload_bytes", pa.binary()),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_line", pa.int64()),
        pa.field("source_key", pa.string()),
        *LANDING_COLUMNS,
    ]
)
"""A record of a file or an API: one JSON line, one API object."""

RECORD_WITH_FIELDS = RECORD.insert(2, pa.field("fields", pa.string()))
"""A record of CSV, TSV or XML: `fields` is JSON, column name to value as text, as the header of that file says."""

MANIFEST = pa.schema(
    [
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("file_hash", pa.string()),
        pa.field("file_stamp", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("records_read", pa.int64(), nullable=False),
        pa.field("records_landed", pa.int64(), nullable=False),
        pa.field("records_unchanged", pa.int64(), nullable=False),
        pa.field("cursor_until", pa.string()),
        pa.field("columns", pa.string()),
        pa.field("error", pa.string()),
        pa.field("started_at", TIMESTAMP, nullable=False),
        pa.field("landed_at", TIMESTAMP, nullable=False),
        pa.field("_dlt_load_id", pa.string(), nullable=False),
    ]
)
"""One row per file, endpoint or table that a run read and that brought something new. `cursor_until` is how far the
source's own cursor was read completely; null when the reading failed or the source has none. `file_stamp` is what the
file system said of a file when its content was last read: while it says the same, the content need not be read again.
`columns` is what a database said its table consists of, JSON, name to type."""


class SourceFailed(Exception):
    """A source could not be read. The message says what happened, where, and what to do."""


@dataclass
class Reading:
    """One file, endpoint or table while it is read: what becomes its row in the manifest."""

    table: str
    source_file: str
    started_at: datetime
    keys: "Keys | None" = None
    file_hash: str | None = None
    file_stamp: str | None = None
    bytes: int | None = None
    read: int = 0
    landed: int = 0
    cursor_until: str | None = None
    columns: str | None = None
    error: str | None = None
    worth_noting: bool = False
    """True lets the manifest row be written although no record was new: a file that is to be skipped from now on."""

    @property
    def unchanged(self) -> int:
        """Records that were landed by an earlier run."""
        return self.read - self.landed

    def note(self, text: str) -> None:
        """Add to what went wrong; the reading goes on."""
        self.error = f"{self.error}; {text}" if self.error else text


@dataclass
class Outcome:
    """What became of one source in one run: a line of the table that the command ends with."""

    source: str
    status: str
    landed: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    message: str = ""
    notes: list[str] = field(default_factory=list)


class KnownFile(NamedTuple):
    """The last reading of a file; without a hash it has to be read again."""

    bytes: int | None
    file_hash: str | None
    file_stamp: str | None
    records: int


class Keys:
    """The keys of a raw table, or of one file in it, that are landed already.

    They stay in the warehouse: only those in the range of a batch are looked at, so history costs nothing.
    """

    def __init__(self, landed: "Landed", table: str, columns: tuple[str, ...], source_file: str | None) -> None:
        """Look among the completed loads of `table`; `columns` is the key, the one that records are sorted by first.

        Of a line, a record or a row what its last load said counts: a value that goes back to what it was is unseen.
        """
        self.connection, self.columns = landed.connection, columns
        only = f"source_file = '{quoted(source_file)}' and" if source_file is not None else ""
        self.landed = f"from warehouse.{landed.schema}.{table} where {only} {landed.complete}"
        self.empty = self.connection.execute(f"select 1 {self.landed} limit 1").fetchone() is None
        self.seen = landed.temporary(f"select {', '.join(columns)} from warehouse.{landed.schema}.{table} limit 0")

    def unseen(self, batch: pa.Table, remember: bool = False) -> pa.Table:
        """Return the rows of `batch` whose key is not landed, in their order.

        `remember` drops repetitions inside the batch and among the batches of this run: an API's pages may overlap.
        """
        if not batch.num_rows or (self.empty and not remember):
            return batch
        numbered = batch.select(self.columns).append_column("position", pa.array(range(batch.num_rows), pa.int64()))
        self.connection.register("batch", numbered)
        same = " and ".join(f"batch.{column} is not distinct from known.{column}" for column in self.columns)
        known = [self._known(batch)]
        if remember:
            known.append(f"select * from {self.seen}")
        position = "min(position)" if remember else "position"
        grouped = f"group by {', '.join(self.columns)}" if remember else ""
        kept = self.connection.execute(
            f"select {position} as position from batch anti join ({' union all '.join(known)}) as known on {same} "
            f"{grouped} order by 1"
        ).to_arrow_table()["position"]
        unseen = batch.take(kept) if len(kept) < batch.num_rows else batch
        if remember and unseen.num_rows:
            self.connection.register("batch", unseen.select(self.columns))
            self.connection.execute(f"insert into {self.seen} from batch")
        self.connection.unregister("batch")
        return unseen

    def _known(self, batch: pa.Table) -> str:
        key = self.columns[0]
        last = f"{key} is null or _dlt_load_id = max(_dlt_load_id) over (partition by {key})"
        return f"select {', '.join(self.columns)} {self.landed} and {self._in_range(batch)} qualify {last}"

    def _in_range(self, batch: pa.Table) -> str:
        first = self.columns[0]
        if batch[first].null_count:
            return "true"
        low, high = (f"'{quoted(str(bound.as_py()))}'" for bound in pc.min_max(batch[first]).values())
        return f"{first} between {low} and {high}"


class _Opened:
    """The warehouses that are open for reading in this process, each once, whoever reads.

    DuckDB locks the file for the process: whoever closed it first would unlock it for all that still read.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: dict[Path, tuple[duckdb.DuckDBPyConnection, int]] = {}

    def cursor(self, warehouse: Path) -> duckdb.DuckDBPyConnection:
        with self.lock:
            connection, readers = self.opened.get(warehouse, (None, 0))
            if connection is None:
                connection = duckdb.connect()
                connection.execute(f"attach '{quoted(str(warehouse))}' as warehouse (read_only)")
            self.opened[warehouse] = connection, readers + 1
            return connection.cursor()

    def let_go(self, warehouse: Path) -> None:
        with self.lock:
            connection, readers = self.opened.pop(warehouse)
            if readers > 1:
                self.opened[warehouse] = connection, readers - 1
            else:
                connection.close()


_OPENED = _Opened()


class Landed:
    """What the warehouse holds of one source. Opens it for reading only; close before anything is loaded."""

    def __init__(self, warehouse: Path, source: str) -> None:
        """Attach the warehouse file, whose tables `create_tables` has made."""
        self.schema, self.warehouse = f"raw_{source}", warehouse
        self.connection = _OPENED.cursor(warehouse)
        self.connection.execute("set TimeZone = 'UTC'")
        self.complete = f"_dlt_load_id in (select load_id from warehouse.{self.schema}._dlt_loads where status = 0)"
        self._temporary = count(1)

    def close(self) -> None:
        """Let go of the warehouse file."""
        self.connection.close()
        _OPENED.let_go(self.warehouse)

    def files(self, table: str) -> dict[str, KnownFile]:
        """Return the last reading of each file by its path."""
        rows = self.connection.execute(
            f"select source_file, unnest(arg_max((bytes, file_hash, file_stamp, records_read), landed_at)) "
            f"from warehouse.{self.schema}.manifest where table_name = ? and {self.complete} group by source_file",
            [table],
        ).fetchall()
        return {path: KnownFile(*known) for path, *known in rows}

    def cursor(self, table: str) -> str | None:
        """Return how far the table's source was read completely, null if it never was."""
        (until,) = self.connection.execute(
            f"select max(cursor_until) from warehouse.{self.schema}.manifest where table_name = ? and {self.complete}",
            [table],
        ).fetchone()
        return until

    def keys(self, table: str, columns: tuple[str, ...], source_file: str | None = None) -> Keys:
        """Return the landed keys of a table, of one file alone if `source_file` is given."""
        return Keys(self, table, columns, source_file)

    def temporary(self, select: str) -> str:
        """Keep what a query returns in a table of this connection; return its name."""
        name = f"temporary_{next(self._temporary)}"
        self.connection.execute(f"create temp table {name} as {select}")
        return name


class Run:
    """One source in one run: what readers need to know, and where they hand over what they read."""

    def __init__(
        self,
        run_id: str,
        source: str,
        tables: dict[str, pa.Schema],
        landed: Landed,
        progress: Callable[[str, int], None],
    ) -> None:
        """Begin a run of `source`, which has these raw tables; `landed` is what earlier runs brought."""
        self.run_id, self.source, self.tables, self.landed_before = run_id, source, tables, landed
        self.progress = progress
        self.landed = self.unchanged = 0
        self.notes: list[str] = []
        self.failures: list[str] = []
        self._odd: Counter[str] = Counter()
        self._open: list[Reading] = []
        self._waiting: dict[str, list[pa.Table]] = {}
        self._waiting_bytes = 0
        self._restamped: list[Reading] = []

    def start(self, table: str, source_file: str, keys: Keys | None = None) -> Reading:
        """Begin a file, an endpoint or a table."""
        reading = Reading(table, source_file, datetime.now(UTC), keys)
        self._open.append(reading)
        return reading

    def land(self, reading: Reading, batch: pa.Table, pages_overlap: bool = False) -> Iterator[Any]:
        """Yield, for dlt, those records of `batch` that are not landed yet, once enough wait; count all of them.

        A column of the raw table that `batch` lacks is null; source_file and landed_at are filled in.
        """
        reading.read += batch.num_rows
        if reading.keys is not None:
            batch = reading.keys.unseen(batch, remember=pages_overlap)
        reading.landed += batch.num_rows
        self.progress(reading.source_file, self.landed + sum(each.landed for each in self._open))
        if batch.num_rows:
            yield from self._wait(reading.table, self._completed(batch, reading))

    def finish(self, *readings: Reading) -> Iterator[Any]:
        """Yield, for dlt, the manifest rows of readings that are over, once enough wait."""
        rows = []
        for reading in readings:
            self._open.remove(reading)
            self.landed += reading.landed
            self.unchanged += reading.unchanged
            if reading.error:
                self.notes.append(f"{reading.source_file}: {reading.error}")
            if reading.landed or reading.worth_noting:
                rows.append(self._manifest_row(reading))
        if rows:
            yield from self._wait("manifest", pa.Table.from_pylist(rows, _without_load_id(MANIFEST)))

    def skip(self, records: int) -> None:
        """Count the records of a file that is landed already and was not read again."""
        self.unchanged += records

    def restamp(self, reading: Reading) -> None:
        """Note, with the next load, that a file looks new to the file system but says the same as before."""
        self._restamped.append(reading)

    def remark(self, what: str, count: int) -> None:
        """Count something that a person should hear of once a run: it is kept as it came, and judged later."""
        if count:
            self._odd[what] += count

    def remarks(self) -> list[str]:
        """Return all that a person should hear of: what was counted, then what was noted of single files or tables."""
        return [f"{count:,} {what}" for what, count in self._odd.items()] + self.notes

    def fail(self, message: str) -> None:
        """Report that something of this source could not be read; what can be read still lands."""
        self.failures.append(message)

    def guard(self, items: Iterator[Any]) -> Iterator[Any]:
        """Pass `items` on. If reading them fails, keep what came before and close the open readings with the error."""
        try:
            yield from items
        except Exception as error:
            message = str(error) if isinstance(error, SourceFailed) else f"{type(error).__name__}: {error}"
            self.fail(message)
            for reading in self._open:
                reading.note(message)
                reading.cursor_until = None
            yield from self.finish(*list(self._open))
        if self.landed and self._restamped:
            rows = [self._manifest_row(reading) for reading in self._restamped]
            yield from self._wait("manifest", pa.Table.from_pylist(rows, _without_load_id(MANIFEST)))
        yield from self._flush()

    def _wait(self, table: str, records: pa.Table) -> Iterator[Any]:
        self._waiting.setdefault(table, []).append(records)
        self._waiting_bytes += records.nbytes
        if self._waiting_bytes >= BATCH_BYTES:
            yield from self._flush()

    def _flush(self) -> Iterator[Any]:
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        for table, batches in waiting.items():
            yield dlt.mark.with_table_name(pa.concat_tables(batches).combine_chunks(), table)

    def _completed(self, batch: pa.Table, reading: Reading) -> pa.Table:
        wanted = _without_load_id(self.tables[reading.table])
        constants = {"source_file": reading.source_file, "landed_at": datetime.now(UTC)}
        columns = [
            batch.column(each.name)
            if each.name in batch.column_names
            else pa.chunked_array([pa.repeat(pa.scalar(constants.get(each.name), each.type), batch.num_rows)])
            for each in wanted
        ]
        return pa.Table.from_arrays(columns, schema=wanted)

    def _manifest_row(self, reading: Reading) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "source": self.source,
            "table_name": reading.table,
            "source_file": reading.source_file,
            "file_hash": reading.file_hash,
            "file_stamp": reading.file_stamp,
            "bytes": reading.bytes,
            "records_read": reading.read,
            "records_landed": reading.landed,
            "records_unchanged": reading.unchanged,
            "cursor_until": reading.cursor_until,
            "columns": reading.columns,
            "error": reading.error,
            "started_at": reading.started_at,
            "landed_at": datetime.now(UTC),
        }


def read_until(latest: datetime | None, reading: Reading) -> str | None:
    """Return the cursor for the manifest. A record from the future must not make the next run skip the present."""
    return min(latest, reading.started_at).astimezone(UTC).isoformat(timespec="microseconds") if latest else None


def engine_type(column: pa.Field) -> str:
    """Return DuckDB's name for the type of a raw table's column."""
    if pa.types.is_decimal(column.type):
        return f"decimal({column.type.precision}, {column.type.scale})"
    if pa.types.is_timestamp(column.type):
        return "timestamptz"
    return {pa.int64(): "bigint", pa.bool_(): "boolean", pa.string(): "varchar", pa.binary(): "blob"}[column.type]


def _without_load_id(columns: pa.Schema) -> pa.Schema:
    return pa.schema([each for each in columns if each.name != "_dlt_load_id"])


def quoted(text: str) -> str:
    """Return text for a literal of the engine, where no parameter can be given."""
    return text.replace("'", "''")
