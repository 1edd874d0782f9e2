"""The real sales of a British gift shop, through the same loaders and models as the sample company.

    python -m examples.online_retail FOLDER

FOLDER holds CSV files of *Online Retail* as published (InvoiceNo, StockCode, Description, Quantity, InvoiceDate,
UnitPrice, CustomerID, Country), one a day or all in one, gzipped or not. Three things happen to them:

1. Every line becomes a line of a till, in the format that `store` reads, and the descriptions become a product feed,
   in the format that `catalog` reads. Nothing is judged here: a line that makes no sense goes on as it is.
2. `python -m load` and `dbt build` run as they always do, with `reporting_currency: GBP`.
3. What came out is held against the files: every line, every penny.

Source: Chen, D. (2015), Online Retail, UCI Machine Learning Repository, doi:10.24432/C5BW33.
"""

import argparse
import csv
import gzip
import io
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from rich.console import Console

from operate.paths import wide_console

STORE = "ONLINE-RETAIL"  # its time zone is in seeds/store_zones.csv
COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
TILL_COLUMNS = [
    "transaction_id",
    "line_no",
    "store_id",
    "sold_at",
    "loyalty_id",
    "sku",
    "quantity",
    "unit_price",
    "currency",
    "is_return",
]
FEED_COLUMNS = ["id", "title", "description", "availability", "price", "product_type"]
FEED_EVERY_DAYS = 7


class NotOnlineRetail(Exception):
    """The folder does not hold what this example reads. The message says what is missing and where."""


@dataclass
class Totals:
    """What the published files say, counted while they are read: lines, and money by day in GBP."""

    lines: int = 0
    unreadable: int = 0
    amount: Decimal = Decimal(0)
    by_day: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def published_lines(folder: Path) -> Iterator[dict[str, str]]:
    """Yield every line of the CSV files below `folder`, in the order of their names, as column name to text.

    Files may be gzipped and in UTF-8 or Latin-1. Raises `NotOnlineRetail` when there is no file or a column is missing.
    """
    files = sorted(path for path in folder.rglob("*") if path.name.lower().endswith((".csv", ".csv.gz")))
    if not files:
        raise NotOnlineRetail(f"{folder} holds no .csv or .csv.gz file. Give the folder with the files as published.")
    for path in files:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        missing = set(COLUMNS) - set(reader.fieldnames or [])
        if missing:
            raise NotOnlineRetail(f"{path} has no column {', '.join(sorted(missing))}. Found: {reader.fieldnames}")
        yield from reader


def sold_at(text: str) -> str:
    """Return an InvoiceDate as `YYYY-MM-DD HH:MM:SS`; as it is when it is in neither of the two published forms."""
    for form in ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M"):
        try:
            return datetime.strptime(text.strip(), form).strftime("%Y-%m-%d %H:%M:%S")
        except ValueError:
            continue
    return text


def write_as_tills_and_feed(folder: Path, work: Path) -> Totals:
    """Write the files of `folder` as till files and product feeds below `work`; return what they hold.

    One till file a day (`store/ONLINE-RETAIL/YYYY-MM-DD.csv`), a line for each published line; one feed every seven
    days (`catalog/products_YYYY-MM-DD.tsv`) of what had been sold before that day, at the last price.
    """
    totals, days = Totals(), defaultdict(list)
    places: dict[str, int] = defaultdict(int)
    for line in published_lines(folder):
        invoice = line["InvoiceNo"].strip()
        transaction = invoice.removeprefix("C")
        places[transaction] += 1
        moment = sold_at(line["InvoiceDate"])
        customer = line["CustomerID"].strip().removesuffix(".0")
        is_return = invoice.startswith("C") or line["Quantity"].strip().startswith("-")
        quantity, price = line["Quantity"].strip(), line["UnitPrice"].strip()
        till = [
            transaction,
            places[transaction],
            STORE,
            moment,
            customer,
            line["StockCode"].strip(),
            quantity,
            price,
            "GBP",
        ]
        days[moment[:10]].append(([*till, str(is_return).lower()], line["Description"].strip()))
        totals.lines += 1
        try:
            amount = Decimal(quantity) * Decimal(price)
        except InvalidOperation:
            totals.unreadable += 1
        else:
            totals.amount += amount
            totals.by_day[moment[:10]] += amount
    write_tills(work / "store" / STORE, days)
    write_feeds(work / "catalog", days)
    return totals


def write_tills(folder: Path, days: dict[str, list]) -> None:
    """Write one CSV a day below `folder`."""
    folder.mkdir(parents=True)
    for day, lines in days.items():
        with (folder / f"{day.replace('/', '-')}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(TILL_COLUMNS)
            writer.writerows(till for till, _ in lines)


def write_feeds(folder: Path, days: dict[str, list]) -> None:
    """Write a product feed for every seventh day and for the day after the last, of what had been sold before it."""
    folder.mkdir(parents=True)
    products: dict[str, tuple[str, str]] = {}
    due: date | None = None
    dated = sorted(day for day in days if len(day) == 10 and day[4] == "-")
    for day in dated:
        today = date.fromisoformat(day)
        if due is None:
            due = today + timedelta(days=FEED_EVERY_DAYS)
        while due <= today:
            write_feed(folder, due, products)
            due += timedelta(days=FEED_EVERY_DAYS)
        for till, description in days[day]:
            sku, price = till[5], till[7]
            title, last_price = products.get(sku, ("", ""))
            is_price = price.replace(".", "", 1).isdigit() and Decimal(price) > 0
            products[sku] = (description or title, f"{price} GBP" if is_price else last_price)
    if dated:
        write_feed(folder, date.fromisoformat(dated[-1]) + timedelta(days=1), products)


def write_feed(folder: Path, day: date, products: dict[str, tuple[str, str]]) -> None:
    """Write the feed of one day: one line a product, by its code."""
    with (folder / f"products_{day}.tsv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(FEED_COLUMNS)
        writer.writerows(
            (sku, title or sku, title, "in_stock", price, "Gifts") for sku, (title, price) in sorted(products.items())
        )


def main(arguments: list[str] | None = None) -> int:
    """Run the example; return 0 when every line and every penny is accounted for, else 1, and 2 for a wrong folder."""
    parser = argparse.ArgumentParser(prog="python -m examples.online_retail", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="the published CSV files")
    parser.add_argument(
        "--warehouse", type=Path, default=Path("warehouse/online_retail.duckdb"), help="built here, anew"
    )
    options = parser.parse_args(arguments)
    console = wide_console()
    warehouse = options.warehouse
    work = warehouse.with_suffix("")
    try:
        for old in (work, warehouse.parent / "pipelines" / warehouse.stem):
            shutil.rmtree(old, ignore_errors=True)
        for old in (warehouse, warehouse.with_suffix(".built.json")):
            old.unlink(missing_ok=True)
        totals = write_as_tills_and_feed(options.folder, work)
    except NotOnlineRetail as error:
        console.print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        return 2
    return load_build_and_reconcile(console, warehouse, work, totals)


def load_build_and_reconcile(console: Console, warehouse: Path, work: Path, totals: Totals) -> int:
    """Load the written files into `warehouse`, build it in GBP, print how that reconciles; return the exit code."""
    for name in [name for name in os.environ if name.startswith("SOURCES__")]:
        del os.environ[name]
    os.environ |= {
        "WAREHOUSE": str(warehouse),
        "DBT_TARGET_PATH": str(Path("target") / warehouse.stem),
        "SOURCES__STORE__URL": str((work / "store").resolve()),
        "SOURCES__CATALOG__URL": str((work / "catalog").resolve()),
    }
    # These read the environment when they are imported.
    from examples.reconciliation import reconcile
    from load.__main__ import main as load
    from operate.build import build

    if load([]) or build(variables={"reporting_currency": "GBP"}):
        return 1
    return 0 if reconcile(console, warehouse, totals) else 1


if __name__ == "__main__":
    sys.exit(main())
