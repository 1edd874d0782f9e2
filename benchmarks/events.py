"""A shop's typed staging rows, made in DuckDB: what features are built from, without what landing and parsing cost."""

from pathlib import Path

import duckdb

DAYS = 365
EVENTS_A_SESSION, SESSIONS_A_CUSTOMER = 8, 12
LATE = 0.02  # of the events: known up to five days after they happened
START = "date '2025-01-01'"

# One row a session: who, on which device, when, from which event on logged in, and whether it ends with an order.
SESSIONS = """
create temp table sessions as
select
    s as session,
    cast(floor(customers * power(random(), 1.5)) as bigint) as customer,
    random() < 0.3 as is_second_device,
    cast({start} as timestamp) + to_microseconds(cast(floor(random() * {days} * 86400000000) as bigint)) as started_at,
    case when random() < 0.6 then cast(floor(random() * 4) as integer) else 99 end as logged_in_from,
    random() < 0.15 as has_order,
    cast(floor(products * power(random(), 3)) as bigint) as liked
from range({sessions}) as t (s), (select {customers} as customers, {products} as products)
"""

EVENTS = """
create temp table made as
select
    md5(session || '-' || i) as event_id,
    'device-' || customer || case when is_second_device then 'b' else 'a' end as anonymous_id,
    case when i >= logged_in_from then 'c' || customer end as user_id,
    ['page', 'Product List Viewed', 'Product Clicked', 'Product Viewed', 'Product Viewed', 'Product Viewed',
     case when has_order or session % 3 = 0 then 'Product Added' else 'Product Viewed' end,
     case when has_order then 'Order Completed' else 'Cart Viewed' end][i + 1] as event_name,
    started_at + to_seconds(40 * i) as event_at,
    started_at + to_seconds(40 * i) + case
        when hash(session, i) % 1000 < {late} * 1000 then to_seconds(cast(hash(i, session) % 432000 as integer))
        else to_seconds(1)
    end as known_at,
    case
        when i = 6 then 'p' || liked
        when i between 2 and 5 then 'p' || (liked + hash(session, i) % 40) % {products}
    end as product_id,
    case when has_order and i = 7 then cast(session as varchar) end as order_id,
    case when i = 1 then '[' || list_aggregate(list_transform(range(8), lambda n:
        '{{"product_id":"p' || (liked + n * 7) % {products} || '","position":' || n + 1 || '}}'
    ), 'string_agg', ',') || ']'
    end as products
from sessions, range({events_a_session}) as t (i)
"""


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Return the names and types of a staging table's columns."""
    return [row[:2] for row in connection.execute(f"describe staging.{table}").fetchall()]


def drop(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop a staging model's table or view."""
    (kind,) = connection.execute(
        "select table_type from information_schema.tables where table_schema = 'staging' and table_name = ?", [table]
    ).fetchone()
    connection.execute(f"drop {'view' if kind == 'VIEW' else 'table'} staging.{table} cascade")


def fill(connection: duckdb.DuckDBPyConnection, table: str, values: dict[str, str], source: str) -> None:
    """Put a table in the place of a staging model: `values` are SQL by column, the others are null."""
    named = columns(connection, table)
    landing = {
        "record_status": "'accepted'",
        "is_readable": "true",
        "source_file": "'benchmark'",
        "source_line": "0",
        "version_number": "1",
        "is_latest_version": "true",
        "content_hash": "''",
        "copy_number": "1",
    } | values
    selected = ", ".join(f"cast({landing.get(name, 'null')} as {kind}) as {name}" for name, kind in named)
    connection.execute(f"create temp table filled as select {selected} from {source}")
    drop(connection, table)
    connection.execute(f"create table staging.{table} as from filled")
    connection.execute("drop table filled")


def make(warehouse: Path, events: int) -> dict[str, int]:
    """Fill the staging tables of a built, empty warehouse with a shop of so many events; return its counts.

    A load a day: what became known on a day landed under its own load id.
    """
    sessions = events // EVENTS_A_SESSION
    size = {
        "events_a_session": EVENTS_A_SESSION,
        "sessions": sessions,
        "days": DAYS,
        "start": START,
        "late": LATE,
        "customers": max(sessions // SESSIONS_A_CUSTOMER, 10),
        "products": max(int(events**0.5 * 6), 100),
    }
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 1; select setseed(0.42)")
        connection.execute(SESSIONS.format(**size))
        connection.execute("reset threads")
        connection.execute(EVENTS.format(**size))
        load = {"load_id": "cast(cast(known_at as date) as varchar)", "landed_at": "known_at + interval 1 hour"}
        told = {name: name for name in ("event_id", "anonymous_id", "user_id", "event_name", "event_at", "known_at")}
        told |= {name: name for name in ("product_id", "order_id", "products")}
        agent = {"user_agent": "'Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0'", "is_declared_bot": "false"}
        end = f"cast({START} as timestamp) + interval {DAYS} day"
        source = f"(from made where known_at < {end} order by known_at)"
        fill(connection, "stg_web__events", told | agent | load, source)
        drop(connection, "base_web__events")
        connection.execute("create view staging.base_web__events as from staging.stg_web__events")
        fill_shop(connection, size)
        (made,) = connection.execute("select count(*) from staging.stg_web__events").fetchone()
    return {"events": made, "customers": size["customers"], "products": size["products"], "sessions": sessions}


def fill_shop(connection: duckdb.DuckDBPyConnection, size: dict) -> None:
    """Fill the shop's accounts, orders and lines, and a product feed a week."""
    accounts = "(select c, cast({start} as timestamp) - interval 1 day as known_at from range({customers}) as t (c))"
    load = {"load_id": "cast(cast(known_at as date) as varchar)", "landed_at": "known_at + interval 1 hour"}
    fill(
        connection,
        "stg_shop__customers",
        {"account_id": "'c' || c", "email_hash": "md5('c' || c)", "created_at": "known_at", "updated_at": "known_at"}
        | load,
        accounts.format(**size),
    )
    bought = f"""(select session, customer, liked, started_at + to_seconds(290) as known_at from sessions
        where has_order and started_at + to_seconds(290) < cast({START} as timestamp) + interval {DAYS} day)"""
    order = {
        "order_id": "cast(session as varchar)",
        "account_id": "'c' || customer",
        "created_at": "known_at",
        "ordered_at": "known_at",
        "known_at": "known_at",
        "updated_at": "known_at",
        "currency": "'USD'",
        "total_tax": "0",
    }
    fill(connection, "stg_shop__orders", order | load, bought)
    lines = f"(select *, n from {bought}, range(2) as t (n))"
    line = {
        "order_line_id": "session || '-' || n",
        "order_id": "cast(session as varchar)",
        "ordered_at": "known_at",
        "first_known_at": "known_at",
        "sku": f"'p' || (liked + n * 7) % {size['products']}",
        "quantity": "1",
        "unit_price": "10 + liked % 90",
        "total_discount": "case when session % 5 = 0 then 1 else 0 end",
    }
    fill(connection, "stg_shop__order_lines", line | load, lines)
    feeds = f"""(select p, w, cast({START} as timestamp) + to_days(cast(7 * w as integer)) as known_at
        from range({size["products"]}) as t (p), range(53) as u (w))"""
    product = {
        "product_id": "'p' || p",
        "feed_date": "cast(known_at as date)",
        "title": "'Product ' || p",
        "availability": "'in_stock'",
        "price": "10 + p % 90 + w % 2",
        "currency": "'USD'",
        "brand": "'Brand ' || p % 200",
        "product_type": "'Category ' || p % 40",
    }
    fill(connection, "stg_catalog__products", product | load, feeds)


TABLES = [
    "stg_web__events",
    "stg_shop__customers",
    "stg_shop__orders",
    "stg_shop__order_lines",
    "stg_catalog__products",
]


def hold_back_last_day(connection: duckdb.DuckDBPyConnection, to: Path) -> int:
    """Move what became known on the last day into the DuckDB file `to`; return its number of events."""
    to.unlink(missing_ok=True)
    connection.execute(f"attach '{to}' as held")
    (last,) = connection.execute("select max(load_id) from staging.stg_web__events").fetchone()
    for table in TABLES:
        connection.execute(f"create table held.{table} as from staging.{table} where load_id = '{last}'")
        connection.execute(f"delete from staging.{table} where load_id = '{last}'")
    (events,) = connection.execute("select count(*) from held.stg_web__events").fetchone()
    connection.execute("detach held")
    return events


def give_back(connection: duckdb.DuckDBPyConnection, held: Path) -> None:
    """Return what was held back: the last day arrives."""
    connection.execute(f"attach '{held}' as held (read_only)")
    for table in TABLES:
        connection.execute(f"insert into staging.{table} from held.{table}")
    connection.execute("detach held")
