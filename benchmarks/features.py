"""What features cost: `python -m benchmarks.features [--events N] [--runs N] [--work FOLDER] [--only PART …]`.

A shop's typed events of a year, made in DuckDB. Parts: `windows` (sums over trailing windows, against DuckDB by hand,
Polars and pandas), `labels` (features for labels, against Feast), `build` (all features: of a fifth of the
events, within 4 GB, of all; one more day). Results are compared before a figure counts. Prints Markdown tables and,
after a run of all parts, writes them to benchmarks/features.md.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import yaml

from benchmarks import events, peers
from benchmarks.contenders.windows import INPUTS, TABLES
from benchmarks.measure import Contender, compare, run_once, table
from benchmarks.peers import fresh
from operate.proofs import proofs

ROOT = Path(__file__).parents[1]
CONTENDERS = Path(__file__).parent / "contenders"
PYTHON = sys.executable
DBT = str(Path(PYTHON).parent / "dbt")
LABELS = 250_000
LIMIT = "4GB"

WINDOWS = [
    "int_customer_days__tiled",
    "int_customer_behaviour__windowed",
    "int_customer_orders__windowed",
    "int_customer_product_days__tiled",
    "int_customer_products__windowed",
    "int_product_days__tiled",
    "int_product_days__windowed",
]
"""The models that make what the contenders make."""
FEATURES = [proofs.FEATURES, "--exclude", "path:models/staging"]
SILENT = {
    *(f"customer_features.{name}" for name in ("app_share_30d", "country_code", "lifecycle_stage", "return_rate_90d")),
    *("customer_features.email_open_rate_90d", "customer_features.email_click_rate_90d"),
    "product_features.return_rate_90d",
}
"""The features of which the benchmark's shop has nothing to tell: no app, no CRM, no campaigns, no refunds."""


def dbt(name: str, warehouse: Path, *given: str, counted: Callable[[], int] = lambda: 0, limit: str = "") -> Contender:
    """Return dbt on a warehouse, as a contender."""
    work = warehouse.parent
    settings = {
        "WAREHOUSE": str(warehouse),
        "PII_KEY": "what nobody needs to know here",
        "DBT_TARGET_PATH": str(work / "target"),
        "DBT_LOG_PATH": str(work / "logs"),
    }
    if limit:
        profiles = yaml.safe_load((ROOT / "profiles.yml").read_text())
        profiles["shopsmart"]["outputs"]["duckdb"]["settings"]["memory_limit"] = limit
        # As docs/operations.md advises: two models at a time would both spill.
        profiles["shopsmart"]["outputs"]["duckdb"]["threads"] = 1
        work.mkdir(parents=True, exist_ok=True)
        (work / "profiles.yml").write_text(yaml.safe_dump(profiles))
        settings["DBT_PROFILES_DIR"] = str(work)
    return Contender(name, [DBT, "run", "--project-dir", str(ROOT), *given], counted, settings)


def shop(folder: Path, size: int) -> Path:
    """Return a warehouse with a shop of `size` typed events and nothing built on them; made on first use.

    Its file has the same name for every size: views hold it.
    """
    made = folder / f"shop-{size}" / "shop.duckdb"
    if made.exists():
        return made
    empty = folder / "empty" / "shop.duckdb"
    if not empty.exists():
        empty.parent.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SOURCES__")}
        runs = dbt("", empty)
        for command in ([PYTHON, "-m", "load"], [DBT, "seed"], runs.command):
            subprocess.run(command, cwd=ROOT, env=environment | runs.environment, check=True, stdout=subprocess.DEVNULL)
    made.parent.mkdir(parents=True, exist_ok=True)
    # Under its own name while it is filled, too: views hold the name of the file.
    filling = made.parent / "filling" / made.name
    fresh(filling.parent)()
    filling.parent.mkdir()
    shutil.copy(empty, filling)
    print(events.make(filling, size), file=sys.stderr)
    return filling.rename(made)


def built(folder: Path, size: int) -> Path:
    """Return a warehouse with all features of a shop; made on first use."""
    made = folder / f"built-{size}" / "shop.duckdb"
    if not made.exists():
        copy = made.with_name("copy") / "shop.duckdb"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shop(folder, size), copy)
        run_once(dbt("all features", copy, "--full-refresh", "--select", *FEATURES), folder / "log")
        copy.rename(made)
    return made


def summed(connection: duckdb.DuckDBPyConnection, relation: str, model: str) -> dict[str, tuple]:
    """Return sum and number of values of each of a model's columns in a relation, and a hash of its rows in any order.

    Dates and text are summed by their hashes.
    """
    columns = connection.table(f"intermediate.{model}")
    types = {name: str(kind) for name, kind in zip(columns.columns, columns.types, strict=True)}
    # A relation may hold the same values in another type.
    values = {name: f"cast({name} as {kind})" for name, kind in types.items()}
    numbers = {
        name: value if types[name] in ("BIGINT", "INTEGER") else f"cast(hash({value}) as hugeint)"
        for name, value in values.items()
    }
    sums = [f"row(sum({number}), count({name}))" for name, number in numbers.items()]
    rows = f"row(sum(cast(hash({', '.join(values.values())}) as hugeint)), count(*))"
    found = connection.execute(f"select {', '.join([*sums, rows])} from {relation}").fetchone()
    return dict(zip([*types, "rows"], found, strict=True))


def same_sums(warehouse: Path, made: Callable[[str], str], attached: str = "") -> Callable[[], int]:
    """Return a function that compares what a contender made with the models' tables and counts the rows of these.

    `made` gives the relation that stands for a table. Raises AssertionError where a sum differs.
    """

    def compare_sums() -> int:
        total = 0
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            if attached:
                connection.execute(f"attach '{attached}' as made (read_only)")
            for name, model in TABLES.items():
                ours, theirs = (summed(connection, of, model) for of in (f"intermediate.{model}", made(name)))
                other = {column: (ours[column], theirs[column]) for column in ours if ours[column] != theirs[column]}
                assert not other, f"{name}: {other}"
                total += ours["rows"][1]
        return total

    return compare_sums


def windows(folder: Path, size: int, runs: int, home: Path | None) -> str:
    """Measure the windows: ours, DuckDB by hand, Polars, pandas."""
    warehouse = built(folder, size)
    inputs, hand = folder / f"inputs-{size}", folder / "by_hand.duckdb"
    export(warehouse, inputs)
    alike = same_sums(warehouse, lambda name: f"intermediate.{TABLES[name]}")
    hand_command = [PYTHON, str(CONTENDERS / "windows_duckdb.py"), str(warehouse), str(hand)]
    contenders = [
        Contender(
            "DuckDB by hand, all columns",
            hand_command,
            same_sums(warehouse, lambda name: f"made.{name}", str(hand)),
            before=fresh(hand),
        ),
        dbt("dbt, all columns", warehouse, "--full-refresh", "--select", *WINDOWS, counted=alike),
    ]
    for peer in ("polars", "pandas") if home else ():
        outputs = folder / f"{peer}-made"
        command = [home / peer / "bin" / "python", CONTENDERS / f"windows_{peer}.py", inputs, outputs]
        contenders.append(
            Contender(
                f"{peers.pinned(peer)}, all columns",
                [str(part) for part in command],
                same_sums(warehouse, lambda name, outputs=outputs: f"'{outputs}/{name}*.parquet'"),
                before=peers.ready(home / peer, outputs),
            )
        )
    rows = alike()
    return table(
        "Windows of customers, products and both", compare(contenders, runs, folder, rows), rows, contenders[0].name
    )


def export(warehouse: Path, inputs: Path) -> None:
    """Write what Polars and pandas are given as Parquet files."""
    fresh(inputs)()
    inputs.mkdir()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for name, query in INPUTS.items():
            connection.execute(f"copy ({query.format(intermediate='intermediate')}) to '{inputs}/{name}.parquet'")


def labels(folder: Path, size: int, runs: int, home: Path | None) -> str:
    """Measure how long it takes to give labels, a customer and a product at a moment, the features of both."""
    asked, ours, theirs = (folder / f"{name}.parquet" for name in ("labels", "labels_ours", "labels_feast"))
    features = {kind: folder / f"{kind}_features.parquet" for kind in ("customer", "product")}
    with duckdb.connect(str(built(folder, size)), read_only=True) as connection:
        for kind, file in features.items():
            order = f"order by {kind}_id, feature_at"
            connection.execute(f"copy (from features.{kind}_features {order}) to '{file}'")
        # Any moment of a day that has features, and any product that has some on that day.
        connection.execute(
            f"""copy (
                with numbered as (
                    select product_id, feature_at,
                        row_number() over (partition by feature_at order by hash(product_id)) as number
                    from features.product_features
                ),
                days as (select feature_at, max(number) as products from numbered group by feature_at),
                customers as (
                    select customer_id, feature_at, 1 + hash(customer_id) % products as number
                    from features.customer_features inner join days using (feature_at)
                    order by hash(feature_at, customer_id) limit {LABELS}
                )
                select customer_id, product_id,
                    feature_at + to_seconds(cast(hash(customer_id, feature_at) % 86400 as bigint)) as event_timestamp
                from customers inner join numbered using (feature_at, number)
            ) to '{asked}'"""
        )
        number = connection.execute(f"select count(*) from '{asked}'").fetchone()[0]

    def alike(made: Path) -> Callable[[], int]:
        def count() -> int:
            described = duckdb.sql(f"describe from '{ours}'").fetchall()
            numbers = [name for name, kind, *_ in described if kind in ("BIGINT", "DOUBLE", "INTEGER")]
            # As decimals: doubles add up to something else in another order.
            sums = ", ".join(f"sum(cast({name} as decimal(38, 9))), count({name})" for name in numbers)
            one, other = (duckdb.sql(f"select {sums}, count(*) from '{file}'").fetchone() for file in (ours, made))
            assert one == other, f"{made} differs"
            return other[-1]

        return count

    given = [str(asked), *map(str, features.values())]
    by_equality = [PYTHON, str(CONTENDERS / "labels_duckdb.py"), *given, str(ours)]
    contenders = [Contender("join by equality", by_equality, alike(ours), before=fresh(ours))]
    if home:
        command = [str(home / "feast" / "bin" / "python"), str(CONTENDERS / "labels_feast.py"), *given, str(theirs)]
        ready = peers.ready(home / "feast", theirs)
        contenders.append(Contender(f"{peers.pinned('feast')}, DuckDB store", command, alike(theirs), before=ready))
    taken = compare(contenders, runs, folder, number)
    return table("Features for labels, point in time", taken, number, contenders[0].name)


def feature_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the feature tables, and of those that are views, in order."""
    found = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'features'"
    ).fetchall()
    return sorted(name for (name,) in found)


def silent(warehouse: Path) -> set[str]:
    """Return the features that are null or 0 in every row: of what no event, order or feed of the shop tells.

    A table of staging that lacks what a model joins by makes a build quick, and nothing of it.
    """
    found = set()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for table_name in feature_tables(connection):
            columns = [name for name, *_ in connection.execute(f"describe features.{table_name}").fetchall()]
            told = ", ".join(f"count(nullif(nullif(cast({name} as varchar), '0'), '0.0'))" for name in columns)
            counts = connection.execute(f"select {told} from features.{table_name}").fetchone()
            found |= {f"{table_name}.{name}" for name, count in zip(columns, counts, strict=True) if not count}
    return found


def digest(warehouse: Path) -> dict[str, tuple]:
    """Return rows and a hash of all values, whatever their order, of each feature table."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            name: connection.execute(
                f"select count(*), sum(cast(hash(made) as hugeint)) from features.{name} as made"
            ).fetchone()
            for name in feature_tables(connection)
        }


def build(folder: Path, size: int, runs: int) -> str:
    """Measure all features in full: of a fifth of the events, within a limit of memory, of all; and one more day."""
    copy, held_back, held = folder / "building" / "shop.duckdb", folder / "held.duckdb", 0

    def full(name: str, source: Path, limit: str = "") -> Contender:
        def from_nothing() -> None:
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(source, copy)

        contender = dbt(name, copy, "--full-refresh", "--select", *FEATURES, limit=limit)
        contender.before = from_nothing
        return contender

    def less_the_last_day() -> None:
        nonlocal held
        of_all.before()
        with duckdb.connect(str(copy)) as connection:
            held = events.hold_back_last_day(connection, held_back)

    source = shop(folder, size)
    of_all = full(f"{size:,} events, DuckDB limited to {LIMIT}", source, LIMIT)
    results = compare([full(f"{size // 5:,} events", shop(folder, size // 5)), of_all], runs, folder, 0)
    whole = digest(copy)
    assert silent(copy) == SILENT, f"other features than these say nothing: {silent(copy) ^ SILENT}"
    # One day of a year less costs next to nothing less, and there is a day to add.
    unlimited = full(f"{size:,} events less their last day", source)
    unlimited.before = less_the_last_day
    results |= compare([unlimited], runs, folder, 0)
    with duckdb.connect(str(copy)) as connection:
        events.give_back(connection, held_back)
    for name in (f"one more day of {held:,} events", "once more, nothing new"):
        results[name] = run_once(dbt(name, copy, "--select", *FEATURES), folder / "log")
    assert digest(copy) == whole, "a day added is not what a full build makes"
    rows = sum(count for count, _ in whole.values())
    return table("All features in dbt", results, rows, unlimited.name)


def main() -> None:
    """Measure what was asked for, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "features-benchmark")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="measure others as well")
    parser.add_argument("--only", choices=["windows", "labels", "build"], action="append")
    given = parser.parse_args()
    given.work = given.work.resolve()
    given.work.mkdir(parents=True, exist_ok=True)
    home = given.work / "peers" if given.peers else None
    parts = {
        "windows": lambda: windows(given.work, given.events, given.runs, home),
        "labels": lambda: labels(given.work, given.events, given.runs, home),
        "build": lambda: build(given.work, given.events, given.runs),
    }
    wanted = given.only or list(parts)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    made = [f"{machine}, DuckDB {duckdb.__version__}; {given.events:,} events; medians of {given.runs}.\n"]
    for name in wanted:
        made.append(parts[name]())
        print(made[-1], flush=True)
    if not given.only:
        heading = "# What features cost\n\n`python -m benchmarks.features`: "
        (ROOT / "benchmarks" / "features.md").write_text(heading + "\n".join(made))


if __name__ == "__main__":
    main()
