"""The landing record, the manifest, and the one way a source reaches the warehouse.

What a source sent lands as it came, in the schema `raw_<source>`. Three rules hold for all sources:

- **Keyed.** A record's key is where it stood and what it said: (source_file, source_line or source_key, content_hash);
  for a database row (id, content_hash). A key that is landed is counted as *unchanged* and does not land again.
- **The warehouse remembers.** What is landed, and how far an API or a database was read, is looked up in the manifest
  and the raw tables, never in dlt's local state: the working folder may be lost. Only loads that dlt marked complete
  count (`_dlt_loads.status = 0`); rows that a crash left without one are landed again, and staging ignores them.
- **Nothing new, no load.** A source without news writes nothing at all, no manifest row either. What was read
  and what landed therefore agree within every row of the manifest; a file that is skipped keeps its earlier row.

A killed load is finished by the next one. dlt repeats a copy of which it does not know whether it was committed, so
rows that stand twice under one key in such a load are reduced to one.

A failure while reading does not undo what was read before it: that lands, its manifest row carries the error and no
cursor, so the next run starts from where the last complete reading ended.
"""

import contextlib
import inspect
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

# dlt reports usage to its makers unless told not to; it reads this when it is imported.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt
import duckdb
import pyarrow as pa
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.schema.utils import new_table
from dlt.extract.source import DltSource

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
        pa.field("bytes", pa.int64()),
        pa.field("records_read", pa.int64(), nullable=False),
        pa.field("records_landed", pa.int64(), nullable=False),
        pa.field("records_unchanged", pa.int64(), nullable=False),
        pa.field("cursor_until", pa.string()),
        pa.field("error", pa.string()),
        pa.field("started_at", TIMESTAMP, nullable=False),
        pa.field("landed_at", TIMESTAMP, nullable=False),
        pa.field("_dlt_load_id", pa.string(), nullable=False),
    ]
)
"""One row per file, endpoint or table that a run read and that brought something new. `cursor_until` is how far the
source's own cursor was read completely; null when the reading failed or the source has none."""


KEY_COLUMNS = ("run_id", "table_name", "id", "source_file", "source_line", "source_key", "content_hash")
"""Whatever of these a raw table has tells its rows apart within one load."""


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
    bytes: int | None = None
    read: int = 0
    landed: int = 0
    cursor_until: str | None = None
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


class Keys:
    """The keys of a raw table (or of one file in it) that are landed already.

    Held in an in-memory table of the engine, so that tens of millions are no burden.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...]) -> None:
        """Take a table of that name and columns that the connection holds."""
        self.connection, self.name, self.columns = connection, name, columns
        self.empty = connection.execute(f"select count(*) from {name}").fetchone() == (0,)

    def unseen(self, batch: pa.Table, remember: bool = False) -> pa.Table:
        """Return the rows of `batch` whose key is not landed, in their order.

        `remember` adds their keys, and drops repetitions inside the batch: for APIs, whose pages may overlap.
        """
        if self.empty and not remember:
            return batch
        numbered = batch.select(self.columns).append_column("position", pa.array(range(batch.num_rows), pa.int64()))
        self.connection.register("batch", numbered)
        same = " and ".join(f"batch.{column} is not distinct from known.{column}" for column in self.columns)
        kept = (
            self.connection.execute(
                f"select min(position) as position from batch anti join {self.name} as known on {same} "
                f"group by {', '.join(self.columns)} order by 1"
                if remember
                else f"select position from batch anti join {self.name} as known on {same} order by 1"
            )
            .to_arrow_table()
            .column("position")
        )
        unseen = batch.take(kept) if len(kept) < batch.num_rows else batch
        if remember and unseen.num_rows:
            self.connection.register("batch", unseen.select(self.columns))
            self.connection.execute(f"insert into {self.name} select {', '.join(self.columns)} from batch")
            self.empty = False
        self.connection.unregister("batch")
        return unseen


class Landed:
    """What the warehouse holds of one source. Opens it for reading only; close before anything is loaded."""

    def __init__(self, warehouse: Path, source: str) -> None:
        """Attach the warehouse file, whose tables `create_tables` has made."""
        self.schema = f"raw_{source}"
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(f"attach '{_quoted(warehouse)}' as warehouse (read_only)")
        self.complete = f"_dlt_load_id in (select load_id from warehouse.{self.schema}._dlt_loads where status = 0)"
        self._key_tables = 0

    def close(self) -> None:
        """Let go of the warehouse file."""
        self.connection.close()

    def files(self, table: str) -> dict[str, tuple[int | None, str | None, int]]:
        """Return the last reading of each file: path to (bytes, hash, records); no hash if it must be read again."""
        rows = self.connection.execute(
            f"select source_file, arg_max((bytes, file_hash, records_read), landed_at) "
            f"from warehouse.{self.schema}.manifest where table_name = ? and {self.complete} group by source_file",
            [table],
        ).fetchall()
        return dict(rows)

    def cursor(self, table: str) -> str | None:
        """Return how far the table's source was read completely, null if it never was."""
        (until,) = self.connection.execute(
            f"select max(cursor_until) from warehouse.{self.schema}.manifest where table_name = ? and {self.complete}",
            [table],
        ).fetchone()
        return until

    def keys(self, table: str, columns: tuple[str, ...], source_file: str | None = None) -> Keys:
        """Return the landed keys of a table, of one file alone if `source_file` is given."""
        self._key_tables += 1
        name = f"keys_{self._key_tables}"
        only = "source_file = ?" if source_file is not None else "true"
        self.connection.execute(
            f"create temp table {name} as select {', '.join(columns)} from warehouse.{self.schema}.{table} "
            f"where {only} and {self.complete}",
            [source_file] if source_file is not None else [],
        )
        return Keys(self.connection, name, columns)


class Run:
    """One source in one run: what readers need to know, and where they hand over what they read."""

    def __init__(self, run_id: str, source: str, landed: Landed, progress: Callable[[str, int], None]) -> None:
        """Begin a run of `source`; `landed` is what earlier runs brought."""
        self.run_id, self.source, self.landed_before = run_id, source, landed
        self.progress = progress
        self.tables = tables_of(source)
        self.landed = self.unchanged = 0
        self.notes: list[str] = []
        self.failures: list[str] = []
        self._odd: Counter[str] = Counter()
        self._open: list[Reading] = []

    def start(self, table: str, source_file: str, keys: Keys | None = None) -> Reading:
        """Begin a file, an endpoint or a table."""
        reading = Reading(table, source_file, datetime.now(UTC), keys)
        self._open.append(reading)
        return reading

    def land(self, reading: Reading, batch: pa.Table, pages_overlap: bool = False) -> Iterator[Any]:
        """Yield, for dlt, those records of `batch` that are not landed yet; count all of them.

        A column of the raw table that `batch` lacks is null; source_file and landed_at are filled in.
        """
        reading.read += batch.num_rows
        if reading.keys is not None:
            batch = reading.keys.unseen(batch, remember=pages_overlap)
        reading.landed += batch.num_rows
        self.progress(reading.source_file, self.landed + sum(each.landed for each in self._open))
        if batch.num_rows:
            yield dlt.mark.with_table_name(self._completed(batch, reading), reading.table)

    def finish(self, *readings: Reading) -> Iterator[Any]:
        """Yield, for dlt, the manifest rows of readings that are over."""
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
            yield dlt.mark.with_table_name(pa.Table.from_pylist(rows, _without_load_id(MANIFEST)), "manifest")

    def skip(self, records: int) -> None:
        """Count the records of a file that is landed already and was not read again."""
        self.unchanged += records

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
            "bytes": reading.bytes,
            "records_read": reading.read,
            "records_landed": reading.landed,
            "records_unchanged": reading.unchanged,
            "cursor_until": reading.cursor_until,
            "error": reading.error,
            "started_at": reading.started_at,
            "landed_at": datetime.now(UTC),
        }


def read_until(latest: datetime | None, reading: Reading) -> str | None:
    """Return the cursor for the manifest. A record from the future must not make the next run skip the present."""
    return min(latest, reading.started_at).astimezone(UTC).isoformat(timespec="microseconds") if latest else None


def settings_of(source: str, read: Callable[..., Any]) -> dict[str, Any] | None:
    """Return the settings that a source's `read` asks for by the names of its parameters, from dlt's configuration.

    `url` of `web` is `SOURCES__WEB__URL` in the environment, or `url` under `[sources.web]` in .dlt/config.toml or
    .dlt/secrets.toml. None when one without a default is not set: the source is not connected.
    """
    found: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(read).parameters.items())[1:]:
        value = dlt.config.get(f"sources.{source}.{name}", parameter.annotation)
        if value is not None and value != "":
            found[name] = value
        elif parameter.default is inspect.Parameter.empty:
            return None
    return found


def pipeline_of(source: str, warehouse: Path) -> dlt.Pipeline:
    """Return the dlt pipeline of a source. Its working folder lies beside the warehouse, so checkouts never meet."""
    # The warehouse remembers, so dlt need not keep its state there, nor traces of its runs.
    dlt.config["restore_from_destination"] = False
    dlt.config["enable_runtime_trace"] = False
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
    # Without it dlt keeps a copy of every file it ever loaded.
    dlt.config["load.delete_completed_jobs"] = True
    return dlt.pipeline(
        pipeline_name=f"load_{source}",
        pipelines_dir=str(warehouse.parent / "pipelines" / warehouse.stem),
        destination=dlt.destinations.duckdb(str(warehouse)),
        dataset_name=f"raw_{source}",
    )


def schema_of(source: str) -> dlt.Schema:
    """Return the dlt schema of a source, declared in full and frozen: data never changes it."""
    schema = dlt.Schema(source)
    for name, columns in tables_of(source).items():
        schema.update_table(
            new_table(
                name,
                write_disposition="append",
                columns=list(py_arrow_to_table_schema_columns(columns).values()),
                schema_contract="freeze",
            )
        )
    return schema


def tables_of(source: str) -> dict[str, pa.Schema]:
    """Return the raw tables of a source with their columns, the manifest among them."""
    return {**import_module(f"load.sources.{source}").TABLES, "manifest": MANIFEST}


def create_tables(warehouse: Path, sources: tuple[str, ...]) -> None:
    """Create the raw tables of every source that has none yet, or lacks a column.

    Raises duckdb.IOException when another process has the warehouse open.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    existing: dict[tuple[str, str], set[str]] = {}
    if warehouse.exists():
        # Opened for writing, so that a reader who would block the load is found before anything is read.
        with duckdb.connect(str(warehouse)) as connection:
            for schema, table, column in connection.execute(
                "select table_schema, table_name, column_name from information_schema.columns"
            ).fetchall():
                existing.setdefault((schema, table), set()).add(column)
    for source in sources:
        wanted = {**{name: columns.names for name, columns in tables_of(source).items()}, "_dlt_loads": ["load_id"]}
        if all(set(columns) <= existing.get((f"raw_{source}", name), set()) for name, columns in wanted.items()):
            continue
        destination = dlt.destinations.duckdb(str(warehouse))
        where = destination.spec()._bind_dataset_name(f"raw_{source}")
        # A client takes only a schema that has been stored once.
        schema = dlt.Schema.from_dict(schema_of(source).to_dict())
        with destination.client(schema, where) as client:
            client.initialize_storage()
            client.update_stored_schema()


def land(source: str, warehouse: Path, run_id: str, progress: Callable[[str, int], None]) -> Outcome:
    """Land what is new in one source.

    `progress` is told what is being read and how many records have landed so far. A source that cannot be read raises
    nothing: the outcome says so. Packages that an earlier run left half loaded are loaded first.
    """
    read = import_module(f"load.sources.{source}").read
    settings = settings_of(source, read)
    if settings is None:
        return Outcome(source, "not connected")
    pipeline = pipeline_of(source, warehouse)
    _finish_killed_load(pipeline, source, warehouse)
    landed = Landed(warehouse, source)
    run = Run(run_id, source, landed, progress)
    try:
        items = run.guard(read(run, **settings))
        first = next(items, None)
        if first is not None:
            resource = dlt.resource(chain([first], items), name=source)
            pipeline.extract(DltSource(schema_of(source), source, [resource]))
    finally:
        landed.close()
    if first is not None:
        progress("loading", run.landed)
        _load_pending(pipeline)
    status = "failed" if run.failures else "landed" if run.landed else "unchanged"
    return Outcome(source, status, run.landed, run.unchanged, message="; ".join(run.failures), notes=run.remarks())


def _finish_killed_load(pipeline: dlt.Pipeline, source: str, warehouse: Path) -> None:
    # What a killed extraction left behind is no package and would lie there for ever.
    extracting = Path(pipeline.working_dir) / "normalize"
    with contextlib.suppress(FileNotFoundError):
        for folder in extracting.iterdir():
            if folder.is_dir() and folder.name != "extracted":
                shutil.rmtree(folder)
    if not pipeline.has_pending_data:
        return
    load_ids = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
    _load_pending(pipeline)
    with duckdb.connect(str(warehouse)) as connection:
        for table, columns in tables_of(source).items():
            key = ", ".join(name for name in KEY_COLUMNS if name in columns.names)
            ours = f"from raw_{source}.{table} where list_contains($load_ids, _dlt_load_id)"
            connection.execute(
                f"delete {ours} and rowid not in (select min(rowid) {ours} group by {key})", {"load_ids": load_ids}
            )


def _load_pending(pipeline: dlt.Pipeline) -> None:
    while pipeline.has_pending_data:
        pipeline.normalize(workers=1)
        pipeline.load(workers=1, raise_on_failed_jobs=True)


def _without_load_id(columns: pa.Schema) -> pa.Schema:
    return pa.schema([each for each in columns if each.name != "_dlt_load_id"])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
