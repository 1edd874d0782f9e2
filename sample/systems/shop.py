"""The order database of the web shop, with Shopify's names, in SQLite."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sample import flaws
from sample.behaviour import DAY, Sales
from sample.world import People, Products, Size, rate_table

TABLES = """
create table customers (id bigint primary key, email varchar(200), created_at datetime, updated_at datetime,
    first_name varchar(100), last_name varchar(100), phone varchar(40), country_code varchar(2),
    accepts_marketing boolean);
create table orders (id bigint primary key, customer_id bigint, email varchar(200), created_at datetime,
    processed_at datetime, updated_at datetime, cancelled_at datetime, financial_status varchar(30),
    fulfillment_status varchar(30), currency varchar(3), subtotal_price numeric(12, 2), total_discounts numeric(12, 2),
    total_tax numeric(12, 2), total_price numeric(12, 2), source_name varchar(30), test boolean);
create table order_line (id bigint primary key, order_id bigint, product_id bigint, variant_id bigint, sku varchar(40),
    quantity integer, price numeric(12, 2), total_discount numeric(12, 2));
create table refund (id bigint primary key, order_id bigint, created_at datetime, processed_at datetime);
create table order_line_refund (id bigint primary key, refund_id bigint, order_line_id bigint, quantity integer,
    subtotal numeric(12, 2), total_tax numeric(12, 2), restock_type varchar(30));
"""
FIRST_ORDER, FIRST_LINE, FIRST_REFUND = 100_001, 500_001, 900_001


@dataclass
class ShopOrders:
    """The orders of the web shop, arrays by order and by line; money in the order's currency."""

    sales: Sales
    currency: np.ndarray
    by_account: np.ndarray
    price: np.ndarray
    discount: np.ndarray
    tax: np.ndarray
    cancelled_at: np.ndarray  # seconds from the first day, NaN when it stands
    is_test: np.ndarray
    has_currency: np.ndarray
    refunded_at: np.ndarray  # by line, NaN when kept
    refunded: np.ndarray  # units, by line
    refund_amount: np.ndarray


def local_prices(size: Size, rates: dict, currency: np.ndarray, day: np.ndarray, usd: np.ndarray) -> np.ndarray:
    """Return prices in local money at the shop's rate of the day, rounded to two decimals."""
    names, table = rate_table(size, rates)
    return np.maximum(np.round(usd * table[day.clip(0, size.days - 1), [names.index(c) for c in currency]], 2), 0.01)


def make_shop_orders(size: Size, people: People, sales: Sales, rates: dict) -> ShopOrders:
    """Return the web shop's orders with currencies, discounts, tax, cancellations, tests and refunds."""
    rng, lines = size.random("shop"), sales.lines
    n, m = len(sales.person), len(lines.order)
    end = size.days * DAY - 1
    currency = people.currency[sales.person]
    owner = sales.person[lines.order]
    by_account = (people.account[sales.person] > 0) & (sales.at // DAY > people.joined[sales.person])
    price = local_prices(size, rates, people.currency[owner], (sales.at[lines.order] // DAY).astype(int), lines.price)
    gross = np.round(price * lines.quantity, 2)
    discount = np.where(rng.random(m) < 0.15, np.round(gross * 0.1, 2), 0.0)
    subtotal = np.bincount(lines.order, gross - discount, minlength=n)
    cancelled = sales.at + rng.uniform(600, 3 * DAY, n)
    cancelled_at = np.where((rng.random(n) < flaws.CANCELLED_ORDERS) & (cancelled < end), cancelled, np.nan)
    back = sales.at[lines.order] + rng.uniform(2 * DAY, 20 * DAY, m)
    is_back = (rng.random(m) < flaws.REFUNDED_LINES) & (back < end) & np.isnan(cancelled_at[lines.order])
    units = np.where(is_back, np.maximum(1, (lines.quantity * rng.random(m)).astype(int)), 0)
    return ShopOrders(
        sales=sales,
        currency=currency,
        by_account=by_account,
        price=price,
        discount=discount,
        tax=np.round(subtotal * 0.08, 2),
        cancelled_at=cancelled_at,
        is_test=rng.random(n) < flaws.TEST_ORDERS,
        has_currency=rng.random(n) >= flaws.MISSING_CURRENCY,
        refunded_at=np.where(is_back, back, np.nan),
        refunded=units,
        refund_amount=np.round((gross - discount) / lines.quantity * units, 2),
    )


def clock(size: Size, seconds: np.ndarray) -> list[str | None]:
    """Return seconds from the first day as the database writes times, UTC; None for NaN."""
    base = size.start.astype("datetime64[s]").astype(np.int64)
    texts = np.datetime_as_string((base + np.nan_to_num(seconds).astype(np.int64)).astype("datetime64[s]"))
    absent = np.isnan(seconds.astype(float))
    return [
        None if gone else f"{text.replace('T', ' ')}.000000" for text, gone in zip(texts.tolist(), absent, strict=True)
    ]


def write_shop(path: Path, size: Size, people: People, products: Products, orders: ShopOrders) -> None:
    """Write the SQLite file."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript("pragma journal_mode = off; pragma synchronous = off;" + TABLES)
    with connection:
        insert(connection, "customers", customers(size, people))
        insert(connection, "orders", order_rows(size, people, orders))
        lines = orders.sales.lines
        numbers = lines.product.tolist()
        insert(connection, "order_line", zip(
            range(FIRST_LINE, FIRST_LINE + len(numbers)), (lines.order + FIRST_ORDER).tolist(),
            [10_000 + p for p in numbers], [20_000 + p for p in numbers], products.sku[lines.product].tolist(),
            lines.quantity.tolist(), orders.price.tolist(), orders.discount.tolist(), strict=True,
        ))  # fmt: skip
        insert_refunds(connection, size, orders)
    connection.close()


def insert(connection: sqlite3.Connection, table: str, rows: object) -> None:
    """Insert rows, tuples in the order of the table's columns."""
    width = len(connection.execute(f"pragma table_info({table})").fetchall())
    connection.executemany(f"insert into {table} values ({', '.join('?' * width)})", rows)


def customers(size: Size, people: People) -> object:
    """Return the rows of the accounts that had been opened by the last day."""
    has = np.flatnonzero((people.account > 0) & (people.joined < size.days))
    opened = clock(size, opened_at(people, has))
    return zip(
        people.account[has].tolist(), people.email[has].tolist(), opened, opened, people.first[has].tolist(),
        people.last[has].tolist(), people.phone[has].tolist(), people.country[has].tolist(),
        people.consents[has, 0].tolist(), strict=True,
    )  # fmt: skip


def opened_at(people: People, person: np.ndarray) -> np.ndarray:
    """Return when accounts were opened, in seconds from the first day: in the day time of the day they joined."""
    return people.joined[person] * DAY + 3600.0 * (8 + person % 12)


def order_rows(size: Size, people: People, orders: ShopOrders) -> object:
    """Return the rows of the orders, as they stand after the last day."""
    sales, lines = orders.sales, orders.sales.lines
    n = len(sales.person)
    gross = np.round(orders.price * lines.quantity, 2)
    discounts = np.bincount(lines.order, orders.discount, minlength=n).round(2)
    subtotal = (np.bincount(lines.order, gross, minlength=n) - discounts).round(2)
    refunded = np.full(n, -np.inf)
    np.maximum.at(refunded, lines.order, np.nan_to_num(orders.refunded_at, nan=-np.inf))
    changed = np.fmax(np.fmax(sales.at + 60.0, np.nan_to_num(orders.cancelled_at, nan=-np.inf)), refunded)
    placed, cancelled = clock(size, sales.at.astype(float)), clock(size, orders.cancelled_at)
    account = np.where(orders.by_account, people.account[sales.person], 0).tolist()
    back = np.isfinite(refunded)
    status = np.where(~np.isnan(orders.cancelled_at), "voided", np.where(back, "partially_refunded", "paid")).tolist()
    currency = [c if has else None for c, has in zip(orders.currency.tolist(), orders.has_currency, strict=True)]
    return zip(
        range(FIRST_ORDER, FIRST_ORDER + n), [a or None for a in account], people.email[sales.person].tolist(), placed,
        placed, clock(size, changed), cancelled, status,
        ["unfulfilled" if c else "fulfilled" for c in cancelled], currency, subtotal.tolist(), discounts.tolist(),
        orders.tax.tolist(), (subtotal + orders.tax).round(2).tolist(), ["web"] * n,
        orders.is_test.tolist(), strict=True,
    )  # fmt: skip


def insert_refunds(connection: sqlite3.Connection, size: Size, orders: ShopOrders) -> None:
    """Insert a refund for every line that came back, whole or in part."""
    back = np.flatnonzero(orders.refunded > 0)
    at = clock(size, orders.refunded_at[back])
    number = range(FIRST_REFUND, FIRST_REFUND + len(back))
    order = (orders.sales.lines.order[back] + FIRST_ORDER).tolist()
    insert(connection, "refund", zip(number, order, at, at, strict=True))
    amount = orders.refund_amount[back]
    insert(connection, "order_line_refund", zip(
        number, number, (back + FIRST_LINE).tolist(), orders.refunded[back].tolist(), amount.tolist(),
        (amount * 0.08).round(2).tolist(), ["return"] * len(back), strict=True,
    ))  # fmt: skip
