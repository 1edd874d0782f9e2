"""The sample company: the same for the same seed, as large as asked, with the flaws that its truth tells of."""

import csv
import gzip
import hashlib
import json
import sqlite3
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from operate.publish import versions_path
from sample.__main__ import main
from tests.conftest import make_company


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_company(tmp_path_factory.mktemp("sample") / "files", customers=1000, days=40)


def hashes(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(found)}


def truth(files: Path, name: str) -> list[dict]:
    return pq.read_table(files / "truth" / f"{name}.parquet").to_pylist()


def event_lines(files: Path) -> dict[tuple[str, str, int], str]:
    """Return every line of web and mobile by source, file and line."""
    lines = {}
    for source in ("web", "mobile"):
        for path in sorted((files / source).rglob("*.gz")):
            name = str(path.relative_to(files / source))
            text = gzip.decompress(path.read_bytes()).decode()
            lines |= {(source, name, number): line for number, line in enumerate(text.split("\n")[:-1], 1)}
    return lines


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    made = [make_company(tmp_path / str(n), customers=60, days=10, seed=seed) for n, seed in enumerate((7, 7, 8))]
    first, second, other = map(hashes, made)
    assert len(first) > 30
    assert first == second
    assert first != other


@pytest.mark.parametrize(("customers", "days"), [(1, 1), (2, 3), (50, 14)])
def test_small_companies_are_companies(tmp_path: Path, customers: int, days: int) -> None:
    files = make_company(tmp_path / "small", customers=customers, days=days)
    assert len(truth(files, "persons")) == customers
    assert (files / "shop.db").exists()


def test_a_second_make_leaves_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["make", "--customers", "20", "--days", "5", "--to", str(tmp_path / "files")]
    assert main(arguments) == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "files").rglob("*")}
    assert main(arguments) == 0
    assert "there already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "files").rglob("*")} == before


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    assert main(["make", "--customers", "5", "--days", "2", "--to", str(tmp_path)]) == 1
    assert "holds something else" in capsys.readouterr().out
    assert (tmp_path / "thesis.txt").exists()


def test_a_warehouse_never_mixes_two_companies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warehouse = tmp_path / "warehouse" / "w.duckdb"

    def make(customers: int) -> int:
        sizes = ["--customers", str(customers), "--days", "2"]
        return main(["make", *sizes, "--to", str(tmp_path / "files"), "--warehouse", str(warehouse)])

    def land(rows: int) -> None:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("create schema raw_web")
            connection.execute(f"create table raw_web.manifest as select * from range({rows})")

    assert make(5) == 0
    land(1)
    published = warehouse.with_name("published.duckdb")
    copy = versions_path(published) / "first.duckdb"
    copy.parent.mkdir()
    for file in (published, copy):
        file.touch()
    assert make(5) == 0
    assert warehouse.exists()
    assert published.exists()
    assert make(6) == 0
    assert not warehouse.exists()
    assert not published.exists()
    assert not copy.parent.exists()
    assert "held another sample company" in capsys.readouterr().out
    land(0)
    warehouse.with_suffix(".sample.json").unlink()
    assert make(6) == 0
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("insert into raw_web.manifest values (1)")
    warehouse.with_suffix(".sample.json").unlink()
    assert make(6) == 1
    assert warehouse.exists()
    assert "Name another file" in capsys.readouterr().err


def test_sizes_are_as_asked(files: Path) -> None:
    totals = json.loads((files / "truth" / "totals.json").read_text())
    lines = event_lines(files)
    assert totals["lines"] == len(lines)
    assert 0.9 < len(lines) / (1000 * 40 * 0.5) < 1.15
    orders = Counter(line["channel"] for line in {o["order_id"]: o for o in truth(files, "order_lines")}.values())
    assert set(orders) == {"web_shop", "marketplace", "store"}
    assert {line["currency"] for line in truth(files, "order_lines")} >= {"USD", "EUR", "GBP", "INR", None}


def test_the_truth_about_events_is_what_stands_in_the_files(files: Path) -> None:
    lines, told = event_lines(files), truth(files, "events")
    assert {(t["source"], t["file"], t["line"]) for t in told} == set(lines)
    seen: Counter[tuple[str, str]] = Counter()
    for t in told:
        text = lines[t["source"], t["file"], t["line"]]
        try:
            event = json.loads(text)
            is_good = {"messageId", "receivedAt"} <= set(event) and event["receivedAt"] != "soon"
        except ValueError:
            is_good = False
        assert is_good != t["is_spoiled"], text
        if is_good:
            assert event["messageId"] == t["message_id"]
            assert event["anonymousId"].startswith("bot-") == t["is_bot"]
            seen[t["source"], t["message_id"]] += 1
    copies = sum(t["is_copy"] for t in told)
    assert 0.005 < copies / len(told) < 0.015
    assert max(seen.values()) == 2
    for flaw, low, high in (("is_late", 0.01, 0.03), ("is_bot", 0.02, 0.04), ("is_spoiled", 0.001, 0.008)):
        assert low < sum(t[flaw] for t in told) / len(told) < high, flaw
    assert any(t["clock_error_seconds"] for t in told)


def test_what_changes_on_the_way_changes(files: Path) -> None:
    spoiled = {(t["source"], t["file"], t["line"]) for t in truth(files, "events") if t["is_spoiled"]}
    events = [json.loads(line) for key, line in event_lines(files).items() if key not in spoiled]
    web = [e["properties"] for e in events if e.get("event") == "Product Viewed" and e["channel"] == "browser"]
    assert 0 < sum("scroll_depth" in p for p in web) < len(web)
    app = [e["properties"]["price"] for e in events if e["channel"] == "mobile" and e.get("event") == "Product Viewed"]
    assert {type(price) for price in app} == {float, str}
    headers = {path.read_text().split("\n")[0].endswith("cashier_id") for path in (files / "store").rglob("*.csv")}
    assert headers == {True, False}


def test_what_turns_out_later_comes_later(files: Path) -> None:
    contacts = [json.loads(line) for line in (files / "api" / "contacts.jsonl").read_text().splitlines()]
    emails = [contact["propertiesWithHistory"]["email"] for contact in contacts]
    cards = [(c["createdAt"], e["timestamp"]) for c in contacts for e in c["propertiesWithHistory"]["loyalty_id"]]
    assert 0.1 < sum(created < known for created, known in cards) / len(cards) < 0.5
    assert 0.01 < sum(len(entries) > 1 for entries in emails) / len(contacts) < 0.1
    sales = [
        (row["sold_at"][:10], path.stem[:10])
        for path in (files / "store").rglob("*.csv")
        for row in csv.DictReader(path.open())
        if row["is_return"] in ("true", "false")
    ]
    assert all(sold <= filed for sold, filed in sales)
    assert 0.005 < sum(sold < filed for sold, filed in sales) / len(sales) < 0.05
    reports = [path.read_text().splitlines() for path in sorted((files / "marketplace").glob("*.tsv"))]
    items = [row for lines in reports for row in csv.DictReader(lines, delimiter="\t")]
    cancelled = [row for row in items if (row["order-status"], row["item-status"]) == ("Shipped", "Cancelled")]
    assert 0 < len(cancelled) < len(items) / 10
    assert all(float(row["item-price"]) > 0 for row in cancelled)


def test_spoiled_records_of_delimited_files_are_where_the_truth_says(files: Path) -> None:
    for spoiled in truth(files, "spoiled_lines"):
        if spoiled["reason"] not in ("too few fields", "too many fields"):
            continue
        path = files / spoiled["source"] / spoiled["file"]
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        delimiter = "," if path.suffix == ".csv" else "\t"
        lines = data.decode().split("\n")
        (record,) = csv.reader([lines[spoiled["line"] - 1]], delimiter=delimiter)
        width = len(lines[0].split(delimiter))
        assert (len(record) < width) == (spoiled["reason"] == "too few fields")
        assert len(record) != width


def test_every_order_completed_is_in_the_database_with_the_same_products(files: Path) -> None:
    with sqlite3.connect(files / "shop.db") as connection:
        rows = connection.execute("select order_id, sku, quantity from order_line").fetchall()
        totals = connection.execute(
            """select count(*) from orders as o where abs(o.subtotal_price - (
                select sum(round(price * quantity, 2) - total_discount) from order_line as l where l.order_id = o.id
            )) > 0.005"""
        ).fetchone()
    connection.close()
    assert totals == (0,)
    lines = Counter((str(order), sku, quantity) for order, sku, quantity in rows)
    ordered: dict[str, Counter] = {}
    for line in event_lines(files).values():
        if '"event":"Order Completed"' in line and line.endswith("]}}"):
            event = json.loads(line)
            products = event["properties"]["products"]
            order = event["properties"]["order_id"]
            ordered[order] = Counter((order, p["product_id"], p["quantity"]) for p in products)
    assert len(ordered) > 100
    for order, products in ordered.items():
        assert {key: n for key, n in lines.items() if key[0] == order} == dict(products)
