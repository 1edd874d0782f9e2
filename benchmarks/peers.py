"""The loaders that ours is measured against, as contenders on the same data into a DuckDB file of their own."""

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import duckdb

from benchmarks.measure import Contender

REQUIREMENTS = Path(__file__).with_name("peers.txt")
NO_JSON_LINES = "it reads JSON lines from buckets only"

STOCK_FILES = """
import os, sys
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
from dlt.sources.filesystem import filesystem, read_jsonl
duck = dlt.destinations.duckdb(sys.argv[2])
pipeline = dlt.pipeline("stock", pipelines_dir=sys.argv[3], destination=duck, dataset_name="raw")
files = filesystem(bucket_url=f"file://{sys.argv[1]}", file_glob="*.gz") | read_jsonl()
pipeline.run(files.with_name("events"), loader_file_format=sys.argv[4] if len(sys.argv) > 4 else None)
"""
STOCK_TABLES = """
import os, sys
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
from dlt.sources.sql_database import sql_database
duck = dlt.destinations.duckdb(sys.argv[2])
pipeline = dlt.pipeline("stock", pipelines_dir=sys.argv[3], destination=duck, dataset_name="raw")
pipeline.run(sql_database(sys.argv[1], table_names=sys.argv[4:], backend="pyarrow", chunk_size=50000))
"""


def counting(file: Path, *names: str) -> Callable[[], int]:
    """Return a function that counts the rows of tables in a DuckDB file."""

    def count() -> int:
        with duckdb.connect(str(file), read_only=True) as connection:
            return sum(connection.execute(f"select count(*) from {name}").fetchone()[0] for name in names)

    return count


def fresh(*paths: Path) -> Callable[[], None]:
    """Return a function that deletes what an earlier run made."""

    def delete() -> None:
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)

    return delete


def pins() -> dict[str, list[str]]:
    """Return what peers.txt says: a peer's name to the packages of its environment, the peer first."""
    lines = (line.split() for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#"))
    return {re.split(r"[-=\[]", packages[0])[0]: packages for packages in lines}


def pinned(peer: str) -> str:
    """Return a peer's name with its version."""
    return f"{peer} {pins()[peer][0].split('==')[1]}"


def install(environment: Path) -> None:
    """Make the environment of the peer it is named for, unless it is there; raises OSError when it cannot be had."""
    packages = pins()[environment.name]
    done = environment / "installed.txt"
    if done.exists() and done.read_text() == str(packages):
        return
    venv.create(environment, clear=True, with_pip=True)
    pip = [str(environment / "bin" / "pip"), "install", "--quiet", *packages]
    made = subprocess.run(pip, capture_output=True, text=True)
    if made.returncode:
        raise OSError(f"cannot be installed: {made.stderr}")
    for extension in environment.rglob("extensions/*/*.duckdb_extension"):
        # Where DuckDB looks for it when this is its home.
        (platform,) = duckdb.sql("pragma platform").fetchone()
        folder = environment / ".duckdb" / "extensions" / extension.parent.name / platform
        folder.mkdir(parents=True)
        shutil.copy(extension, folder)
    done.write_text(str(packages))


def ready(environment: Path, *paths: Path) -> Callable[[], None]:
    """Return a function that makes a peer's environment on first use and deletes what an earlier run made."""

    def prepare() -> None:
        install(environment)
        fresh(*paths)()

    return prepare


def dlt_files(folder: Path, source: Path, format: str | None) -> Contender:
    """Return dlt's stock filesystem source, into the format of its own choice or a named one."""
    target, state = folder / "stock.duckdb", folder / "stock"
    command = [sys.executable, "-c", STOCK_FILES, str(source), str(target), str(state), *([format] if format else [])]
    name = f"dlt {version('dlt')} filesystem, {format or 'as it comes'}"
    return Contender(name, command, counting(target, "raw.events"), before=fresh(target, state))


def dlt_tables(folder: Path, url: str, tables: Iterable[str]) -> Contender:
    """Return dlt's stock sql_database source with its fastest backend."""
    target, state = folder / "stock.duckdb", folder / "stock"
    url = url.replace("postgresql://", "postgresql+psycopg://")
    command = [sys.executable, "-c", STOCK_TABLES, url, str(target), str(state), *tables]
    counted = counting(target, *(f"raw.{table}" for table in tables))
    return Contender("dlt sql_database, pyarrow", command, counted, before=fresh(target, state))


def _sling(home: Path, folder: Path, given: list[str], tables: Iterable[str], source: str = "") -> Contender:
    target = folder / "sling.duckdb"
    environment = home / "sling"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    program = packages / "sling_linux_amd64" / "bin" / "sling-linux-amd64"
    settings = {
        "HOME": str(environment),
        "BENCHMARK_SOURCE": source,
        "BENCHMARK_TARGET": f"duckdb://{target}",
        "DUCKDB_PATH": str(environment / "bin" / "duckdb"),
        # sling hands rows to DuckDB over HTTP; without this both would fetch extensions from the network.
        "DUCKDB_USE_INSTALLED_EXTENSIONS": "true",
        "SLING_DISABLE_TELEMETRY": "true",
    }
    command = [str(program), "run", *given]
    counted = counting(target, *(f"main.{table}" for table in tables))
    return Contender(pinned("sling"), command, counted, settings, ready(environment, target))


def sling_files(home: Path, folder: Path, source: Path) -> Contender:
    """Return sling from JSON lines files: a line becomes a value of JSON, as ours becomes text."""
    given = ["--src-stream", f"file://{source}/*.gz", "--src-options", "{format: jsonlines}"]
    given += ["--tgt-conn", "BENCHMARK_TARGET", "--tgt-object", "main.events", "--mode", "full-refresh"]
    return _sling(home, folder, given, ["events"])


def sling_tables(home: Path, folder: Path, url: str, tables: Iterable[str]) -> Contender:
    """Return sling from tables of PostgreSQL, all in one run."""
    streams = "".join(f"  public.{table}:\n" for table in tables)
    replication = folder / "sling.yaml"
    replication.write_text(
        "source: BENCHMARK_SOURCE\ntarget: BENCHMARK_TARGET\n"
        f"defaults: {{mode: full-refresh, object: 'main.{{stream_table}}'}}\nstreams:\n{streams}"
    )
    # sling takes the user's name without the colon of a password that there is none of.
    plain = url.replace("postgresql://postgres:@", "postgres://postgres@")
    return _sling(home, folder, ["--replication", str(replication)], tables, plain)


def ingestr_tables(home: Path, folder: Path, url: str, tables: Iterable[str]) -> Contender:
    """Return ingestr from tables of PostgreSQL: one run a table, one after the other, as it takes one at a time."""
    target = folder / "ingestr.duckdb"
    given = [
        str(home / "ingestr" / "bin" / "ingestr"),
        "ingest",
        "--yes",
        "--source-uri",
        url,
        "--dest-uri",
        f"duckdb:///{target}",
    ]
    runs = (
        shlex.join([*given, "--source-table", f"public.{table}", "--dest-table", f"main.{table}"]) for table in tables
    )
    counted = counting(target, *(f"main.{table}" for table in tables))
    settings = {"INGESTR_DISABLE_TELEMETRY": "true", "DISABLE_TELEMETRY": "true"}
    return Contender(
        pinned("ingestr"), ["sh", "-c", " && ".join(runs)], counted, settings, ready(home / "ingestr", target)
    )
