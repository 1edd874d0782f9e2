"""A source's way through dlt into the warehouse: its settings, its raw tables, its pipeline, and one run of it.

dlt is at-least-once: killed between a copy's commit and its bookkeeping, it would copy again and double the rows. Here
a load that was not completed is taken back before it is copied anew, so a completed load holds each record once.
"""

import contextlib
import inspect
import os
import shutil
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

# dlt reports usage to its makers unless told not to; it reads this when it is imported.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
# What goes wrong is said once, at the end, in one sentence; dlt would print a traceback for every attempt.
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.schema.utils import new_table
from dlt.common.storages.load_package import PackageStorage
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.extract.source import DltSource

from load.landing import MANIFEST, Landed, Outcome, Run, engine_type, quoted
from load.locks import in_use, reading, writing
from load.sources import reader_of

PATIENCE = 30.0
"""Seconds that a load waits for a query or a doctor to close the warehouse."""
STORAGE_VERSION = "v1.4.0"
"""Of the warehouse file. DuckDB older than this cannot open it; in its format raw text would take thrice the space."""

LEAST_MEMORY = 400_000_000
"""Bytes the engine may use while it copies; twice of what it needs for records of common length."""

MOST_BYTES_A_COPY = 256 * 1024 * 1024

PACKED_COLUMNS = ("payload", "fields")
"""Raw text, which Zstandard packs three times smaller than what DuckDB would choose, in half the time."""


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
    # What waits is counted in bytes (`landing.BATCH_BYTES`); dlt counts rows, which may be of any size.
    dlt.config["data_writer.buffer_max_items"] = 1
    # A copy's memory grows with what it copies in one go.
    dlt.config["data_writer.file_max_bytes"] = MOST_BYTES_A_COPY
    return dlt.pipeline(
        pipeline_name=f"load_{source}",
        pipelines_dir=str(warehouse.parent / "pipelines" / warehouse.stem),
        destination=_destination(warehouse, LEAST_MEMORY),
        dataset_name=f"raw_{source}",
    )


def _destination(warehouse: Path, memory: int) -> Any:
    # Measured: half the CPU and a third of the memory of the defaults, and hardly later, as reading takes longer.
    limits = {"threads": 1, "memory_limit": f"{memory}B"}
    return dlt.destinations.duckdb(DuckDbCredentials(str(warehouse), global_config=limits))


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
    with duckdb.connect() as connection:
        # Opened for writing, so that a reader who would block the load is found before anything is read.
        version = "" if warehouse.exists() else f"(storage_version '{STORAGE_VERSION}')"
        connection.execute(f"attach '{quoted(str(warehouse))}' as warehouse {version}")
        existing = _existing(connection)
        for source in sources:
            connection.execute(f"create schema if not exists warehouse.raw_{source}")
            for name, columns in tables_of(source).items():
                if (f"raw_{source}", name) not in existing:
                    connection.execute(f"create table warehouse.raw_{source}.{name} ({_definition(columns)})")
    for source in sources:
        if _is_complete(source, existing):
            continue
        destination = _destination(warehouse, LEAST_MEMORY)
        where = destination.spec()._bind_dataset_name(f"raw_{source}")
        # A client takes only a schema that has been stored once.
        schema = dlt.Schema.from_dict(schema_of(source).to_dict())
        with destination.client(schema, where) as client:
            client.initialize_storage()
            client.update_stored_schema()


def prepare(warehouse: Path, sources: tuple[str, ...]) -> None:
    """Create the raw tables that are missing, when no other load is at work or it has not done so.

    Raises duckdb.IOException when a process that is no load has the warehouse open.
    """
    if warehouse.exists() and in_use(warehouse):
        with reading(warehouse), duckdb.connect() as connection:
            connection.execute(f"attach '{quoted(str(warehouse))}' as warehouse (read_only)")
            existing = _existing(connection)
        if all(_is_complete(source, existing) for source in sources):
            return
    with writing(warehouse):
        create_tables(warehouse, sources)


def _existing(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], set[str]]:
    columns: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'warehouse'"
    ).fetchall():
        columns.setdefault((schema, table), set()).add(column)
    return columns


def _is_complete(source: str, existing: dict[tuple[str, str], set[str]]) -> bool:
    wanted = {**{name: columns.names for name, columns in tables_of(source).items()}, "_dlt_loads": ["load_id"]}
    return all(set(columns) <= existing.get((f"raw_{source}", name), set()) for name, columns in wanted.items())


def _definition(columns: pa.Schema) -> str:
    # Created here rather than by dlt, which cannot say how a column is packed; it adds columns that come later.
    return ", ".join(
        f'"{column.name}" {engine_type(column)}'
        + (" using compression zstd" if column.name in PACKED_COLUMNS else "")
        + ("" if column.nullable else " not null")
        for column in columns
    )


def land(source: str, warehouse: Path, run_id: str, progress: Callable[[str, int], None]) -> Outcome:
    """Land what is new in one source.

    `progress` is told what is being read and how many records have landed so far. A source that cannot be read raises
    nothing: the outcome says so. Packages that an earlier run left half loaded are loaded first.
    """
    read = reader_of(source)
    settings = settings_of(source, read)
    if settings is None:
        return Outcome(source, "not connected")
    pipeline = pipeline_of(source, warehouse)
    _finish_killed_load(pipeline, source, warehouse)
    with reading(warehouse), contextlib.closing(Landed(warehouse, source)) as landed:
        run = Run(run_id, source, tables_of(source), landed, progress)
        items = run.guard(read(run, **settings))
        first = next(items, None)
        if first is not None:
            resource = dlt.resource(chain([first], items), name=source)
            pipeline.extract(DltSource(schema_of(source), source, [resource]))
    if first is not None:
        progress("loading", run.landed)
        _load_pending(pipeline, warehouse)
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
    if pipeline.default_schema_name is None:
        # Killed when its first records were packed and it had not noted of which source: nothing would normalise them.
        pipeline.extract(DltSource(schema_of(source), source, []))
    packages = pipeline._get_load_storage().normalized_packages
    extracted = pipeline._get_normalize_storage().extracted_packages
    for load_id in pipeline.list_normalized_load_packages():
        # Killed when it had been normalised: what it was made of was to be deleted.
        extracted.delete_package(load_id, not_exists_ok=True)
        with _writing_alone(warehouse):
            taken_back = _take_back(load_id, source, warehouse)
        if taken_back:
            _begin_again(packages, load_id)
        else:
            packages.delete_package(load_id)
    _load_pending(pipeline, warehouse)


def _take_back(load_id: str, source: str, warehouse: Path) -> bool:
    """Delete the rows of a load, unless it was completed: then return False."""
    with duckdb.connect(str(warehouse)) as connection:
        completed = f"select 1 from raw_{source}._dlt_loads where load_id = ? and status = 0"
        if connection.execute(completed, [load_id]).fetchone():
            return False
        for table in tables_of(source):
            connection.execute(f"delete from raw_{source}.{table} where _dlt_load_id = ?", [load_id])
    return True


def _begin_again(packages: PackageStorage, load_id: str) -> None:
    package = Path(packages.storage.make_full_path(packages.get_package_path(load_id)))
    for state in (packages.STARTED_JOBS_FOLDER, packages.COMPLETED_JOBS_FOLDER):
        for job in (package / state).iterdir():
            job.rename(package / packages.NEW_JOBS_FOLDER / job.name)


def _load_pending(pipeline: dlt.Pipeline, warehouse: Path) -> None:
    while pipeline.has_pending_data:
        pipeline.normalize(workers=1)
        with _writing_alone(warehouse):
            pipeline.load(
                workers=1, destination=_destination(warehouse, _memory_for(pipeline)), raise_on_failed_jobs=True
            )


@contextlib.contextmanager
def _writing_alone(warehouse: Path) -> Iterator[None]:
    """Have the warehouse for writing; wait for loads that read it, and half a minute for whoever else does."""
    with writing(warehouse):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                connection = duckdb.connect(str(warehouse))
                break
            except duckdb.IOException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        # It stays open: dlt connects anew for every table, which is to find the file open.
        with connection:
            yield


def _memory_for(pipeline: dlt.Pipeline) -> int:
    """Return how many bytes copying may take: enough for the longest record, which no limit can divide."""
    waiting = (pq.read_metadata(path) for path in Path(pipeline.working_dir).glob("load/normalized/*/*_jobs/*.parquet"))
    groups = (file.row_group(number).total_byte_size for file in waiting for number in range(file.num_row_groups))
    return max(LEAST_MEMORY, 12 * max(groups, default=0))
