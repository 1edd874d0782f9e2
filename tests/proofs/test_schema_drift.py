"""A source that changes its shape is told, with when and where, from files and databases alike."""

import json
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Build, run_well


@pytest.fixture
def build(company: Build, tmp_path: Path) -> Build:
    """A company of three sources that can be changed: events, feeds and a database of one table of lines."""
    build = replace(company, folder=tmp_path, files=tmp_path / "files")
    for name in ("web", "store"):
        (build.files / name).mkdir(parents=True)
    with sqlite3.connect(build.files / "shop.db") as shop:
        for table, columns in {
            "customers": "id, email, created_at, updated_at, first_name, last_name, phone, country_code, "
            "accepts_marketing",
            "orders": "id, customer_id, email, created_at, processed_at, updated_at, cancelled_at, financial_status, "
            "fulfillment_status, currency, subtotal_price, total_discounts, total_tax, total_price, source_name, test",
            "order_line": "id, order_id, product_id, variant_id, sku, quantity integer, price, total_discount",
            "refund": "id, order_id, created_at, processed_at",
            "order_line_refund": "id, refund_id, order_line_id, quantity, subtotal, total_tax, restock_type",
        }.items():
            shop.execute(f"create table {table} ({columns})")
        shop.execute("insert into order_line values (1, 1, 1, 1, 'A', 1, 2.0, 0)")
    return build


def load(build: Build) -> None:
    environment = build.environment | {
        "SOURCES__WEB__URL": str(build.files / "web"),
        "SOURCES__STORE__URL": str(build.files / "store"),
        "SOURCES__SHOP__CREDENTIALS": f"sqlite:///{build.files / 'shop.db'}",
    }
    run_well(sys.executable, "-m", "load", environment=environment)


def event(number: int, **changed: object) -> str:
    given = {
        "messageId": f"m{number}",
        "anonymousId": "a",
        "event": "Product Viewed",
        "receivedAt": "2026-03-01T10:00:00Z",
        "context": {"ip": "192.0.2.1"},
        "properties": {"price": 9.5},
    }
    return json.dumps({name: value for name, value in {**given, **changed}.items() if value != "gone"}) + "\n"


def test_columns_added_gone_emptied_and_retyped_are_told_once_and_warned_of(build: Build) -> None:
    (build.files / "web" / "1.jsonl").write_text("".join(event(number) for number in range(50)))
    (build.files / "store" / "1.csv").write_text("transaction_id,price\n1,2\n")
    load(build)
    build.dbt("run", "--full-refresh", "--select", "+schema_drift")
    changed = {"properties": {"price": "9,50"}, "context": "gone", "anonymousId": None, "coupon": {"code": "X"}}
    (build.files / "web" / "2.jsonl").write_text("".join(event(number, **changed) for number in range(50, 99)))
    (build.files / "store" / "2.csv").write_text("transaction_id,Price,till\n2,2,7\n")
    with sqlite3.connect(build.files / "shop.db") as shop:
        shop.execute("alter table order_line drop column quantity")
        shop.execute("alter table order_line add column quantity text")
        shop.execute("alter table order_line add column note text")
        shop.execute("alter table order_line drop column variant_id")
        shop.execute("update order_line set quantity = '2'")
    load(build)
    build.dbt("run", "--select", "+schema_drift")
    said = build.dbt("test", "--select", "schema_drift")
    assert "Warning in test no_source_has_changed_its_shape" in said
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        drift = connection.execute(
            "select source || '.' || table_name, column_name, change, former_types, value_types, source_file "
            "from operations.schema_drift order by 1, 2, 3"
        ).fetchall()
    assert drift == [
        ("shop.order_line", "note", "added", None, "text", "order_line"),
        ("shop.order_line", "quantity", "retyped", "integer", "text", "order_line"),
        ("shop.order_line", "variant_id", "gone", "untyped", None, "order_line"),
        ("store.transactions", "Price", "added", None, "text", "2.csv"),
        ("store.transactions", "price", "gone", "text", None, "2.csv"),
        ("store.transactions", "till", "added", None, "text", "2.csv"),
        ("web.events", "anonymousId", "emptied", "text", None, "2.jsonl"),
        ("web.events", "context", "gone", "object", None, "2.jsonl"),
        ("web.events", "context.ip", "gone", "text", None, "2.jsonl"),
        ("web.events", "coupon", "added", None, "object", "2.jsonl"),
        ("web.events", "coupon.code", "added", None, "text", "2.jsonl"),
        ("web.events", "properties.price", "retyped", "number", "text", "2.jsonl"),
    ]
    (build.files / "web" / "3.jsonl").write_text("".join(event(number, **changed) for number in range(100, 140)))
    load(build)
    build.dbt("run", "--select", "+schema_drift")
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        latest = connection.execute(
            "select column_name from operations.schema_drift where is_latest_load and source = 'web'"
        ).fetchall()
    assert latest == []
