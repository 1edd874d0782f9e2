"""The order database, on SQLite and on a real PostgreSQL: every version of every row, typed, once."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from load.readers import tables

SCHEMA = {
    "customers": """id bigint primary key, email varchar(200), created_at {time}, updated_at {time},
        first_name varchar(80), last_name varchar(80), phone varchar(40), country_code varchar(2),
        accepts_marketing boolean""",
    "orders": """id bigint primary key, customer_id bigint, email varchar(200), created_at {time}, processed_at {time},
        updated_at {time}, cancelled_at {time}, financial_status varchar(40), fulfillment_status varchar(40),
        currency varchar(3), subtotal_price numeric(12, 2), total_discounts numeric(12, 2), total_tax numeric(12, 2),
        total_price numeric(12, 2), source_name varchar(40), test boolean""",
    "order_line": """id bigint primary key, order_id bigint, product_id bigint, variant_id bigint, sku varchar(80),
        quantity integer, price numeric(12, 2), total_discount numeric(12, 2)""",
    "refund": "id bigint primary key, order_id bigint, created_at {time}, processed_at {time}",
    "order_line_refund": """id bigint primary key, refund_id bigint, order_line_id bigint, quantity integer,
        subtotal numeric(12, 2), total_tax numeric(12, 2), restock_type varchar(40)""",
}
START = "2026-03-01 10:00:00+00:00"


TIME = {"sqlite": "datetime", "postgresql": "timestamptz", "mysql": "datetime(6)"}


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            if engine.dialect.name == "mysql":  # its times have no offset
                statement = statement.replace("+00:00'", "'")
            connection.execute(sa.text(statement))


def order(number: int, updated_at: str | None = START, price: str = "19.90") -> str:
    moment = f"'{updated_at}'" if updated_at else "null"
    return (
        f"insert into orders values ({number}, 1, 'a@example.com', '{START}', '{START}', {moment}, null, 'paid', null, "
        f"'EUR', {price}, 0, 1.99, 21.89, 'web', false)"
    )


@pytest.fixture
def shop(company, database):
    """A shop of one customer and ten orders with two lines each, the first refunded; connected but not loaded."""
    url, engine = database
    time = TIME[engine.dialect.name]
    run(engine, *(f"create table {name} ({columns.format(time=time)})" for name, columns in SCHEMA.items()))
    run(
        engine,
        f"insert into customers values (1, 'a@example.com', '{START}', '{START}', 'Ann', 'Lee', null, 'GB', true)",
        *(order(number) for number in range(1, 11)),
        *(
            f"insert into order_line values ({2 * number + line}, {number}, 7, 8, 'SKU-00001', 1, 9.95, 0)"
            for number in range(1, 11)
            for line in (0, 1)
        ),
        f"insert into refund values (1, 1, '{START}', null)",
        "insert into order_line_refund values (1, 1, 2, 1, 9.95, 0.99, 'return')",
    )
    company.connect("shop", credentials=url)
    return engine


def counts(company) -> dict[str, int]:
    return {name: company.query(f"select count(*) from raw_shop.{name}")[0][0] for name in SCHEMA}


def test_rows_land_typed(company, shop) -> None:
    assert company.load("shop") == 0
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert company.query(
        "select * exclude (misfits, content_hash, landed_at, _dlt_load_id) from raw_shop.customers"
    ) == [(1, "a@example.com", at, at, "Ann", "Lee", None, "GB", True)]
    assert company.query(
        "select id, updated_at, cancelled_at, subtotal_price, total_tax, test from raw_shop.orders where id = 1"
    ) == [(1, at, None, Decimal("19.9000"), Decimal("1.9900"), False)]
    assert counts(company) == {"customers": 1, "orders": 10, "order_line": 20, "refund": 1, "order_line_refund": 1}
    assert company.query(
        "select table_name, records_read, records_landed, error from raw_shop.manifest order by 1"
    ) == [
        ("customers", 1, 1, None),
        ("order_line", 20, 20, None),
        ("order_line_refund", 1, 1, None),
        ("orders", 10, 10, None),
        ("refund", 1, 1, None),
    ]


def test_second_run_lands_nothing_twice(company, shop) -> None:
    company.load("shop")
    before = counts(company)
    assert company.load("shop") == 0
    assert counts(company) == before
    assert company.query("select count(*) from raw_shop.manifest") == [(5,)]


def test_later_run_lands_only_the_versions_that_changed(company, shop) -> None:
    company.load("shop")
    run(
        shop,
        "update orders set updated_at = '2026-03-09 08:00:00+00:00', financial_status = 'refunded' where id = 3",
        "update order_line set quantity = 2 where id = 6",
        "insert into refund values (2, 3, '2026-03-09 08:00:00+00:00', null)",
        "insert into order_line_refund values (2, 2, 6, 1, 9.95, 0.99, 'no_restock')",
        order(11, "2026-03-09 09:00:00+00:00"),
    )
    company.load("shop")
    assert counts(company) == {"customers": 1, "orders": 12, "order_line": 21, "refund": 2, "order_line_refund": 2}
    assert company.query("select financial_status from raw_shop.orders where id = 3 order by updated_at") == [
        ("paid",),
        ("refunded",),
    ]
    assert company.query("select quantity from raw_shop.order_line where id = 6 order by landed_at") == [(1,), (2,)]


def test_a_value_that_goes_back_to_what_it_was_lands_again(company, shop) -> None:
    company.load("shop")
    for quantity in (2, 1, 1):
        run(shop, f"update order_line set quantity = {quantity} where id = 6")
        company.load("shop")
    versions = company.query("select quantity from raw_shop.order_line where id = 6 order by landed_at")
    assert versions == [(1,), (2,), (1,)]
    assert counts(company)["order_line"] == 22


def test_orders_long_unchanged_are_not_read_again(company, shop) -> None:
    run(shop, order(12, "2026-06-01 00:00:00+00:00"))
    company.load("shop")
    run(shop, order(13, "2026-06-02 00:00:00+00:00"))
    company.load("shop")
    assert company.query(
        "select records_read, records_landed from raw_shop.manifest where table_name = 'orders' order by landed_at"
    ) == [(11, 11), (2, 1)]


def test_late_commit_behind_the_cursor_lands(company, shop) -> None:
    company.load("shop")
    run(shop, order(14, "2026-02-28 00:00:01+00:00"))
    company.load("shop")
    assert company.query("select count(*) from raw_shop.orders where id = 14") == [(1,)]


def test_rows_without_a_cursor_are_not_lost(company, shop) -> None:
    run(shop, order(15, None))
    company.load("shop")
    run(shop, order(16, None), "update orders set financial_status = 'voided' where id = 15")
    company.load("shop")
    company.load("shop")
    assert company.query("select id, financial_status from raw_shop.orders where id > 14 order by id, landed_at") == [
        (15, "paid"),
        (15, "voided"),
        (16, "paid"),
    ]


def test_row_from_the_future_does_not_hide_the_present(company, shop) -> None:
    run(shop, order(17, "2099-01-01 00:00:00+00:00"))
    company.load("shop")
    now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    run(shop, order(18, now))
    company.load("shop")
    assert company.query("select count(*) from raw_shop.orders where id = 18") == [(1,)]


def test_chunks_bound_memory_and_lose_nothing(company, shop, monkeypatch) -> None:
    monkeypatch.setattr(tables, "CHUNK_ROWS", 3)
    company.load("shop")
    assert counts(company)["order_line"] == 20
    assert company.query("select count(distinct id) from raw_shop.order_line") == [(20,)]


def test_column_that_is_missing_lands_null_and_one_too_many_is_said(company, shop) -> None:
    run(shop, "alter table orders drop column source_name", "alter table orders add column gift_note varchar(80)")
    assert company.load("shop") == 0
    assert company.query("select count(*), count(source_name) from raw_shop.orders") == [(10, 0)]
    (error,) = company.query("select error from raw_shop.manifest where table_name = 'orders'")[0]
    assert "no column source_name" in error
    assert "not landed: column gift_note" in error
    assert "gift_note" in company.output


def test_column_that_turned_to_text_lands_null_with_a_count(company, shop) -> None:
    run(shop, "alter table order_line rename column quantity to old_quantity")
    run(shop, "alter table order_line add column quantity varchar(20)", "update order_line set quantity = '2'")
    run(
        shop,
        "update order_line set quantity = 'a pair' where id = 2",
        "update order_line set quantity = '1.5' where id = 3",
    )
    assert company.load("shop") == 0
    assert company.query("select quantity, count(*) from raw_shop.order_line group by 1 order by 1") == [
        (2, 18),
        (None, 2),
    ]
    assert "2 values of quantity are not int64" in company.output
    assert company.query("select id, misfits from raw_shop.order_line where misfits is not null order by id") == [
        (2, '{"quantity":"a pair"}'),
        (3, '{"quantity":"1.5"}'),
    ]


def test_table_that_is_missing_fails_and_the_others_land(company, shop) -> None:
    run(shop, "drop table refund")
    assert company.load("shop") == 1
    assert "no table or view refund" in company.output
    assert counts(company)["orders"] == 10


def test_zone_of_the_connection_does_not_matter(company, database) -> None:
    url, engine = database
    if engine.dialect.name == "postgresql":
        run(engine, f"alter database {engine.url.database} set timezone = 'Asia/Kolkata'")
        run(engine, f"alter database {engine.url.database} set datestyle = 'SQL, DMY'")
        engine.dispose()
    kind = TIME["postgresql"] if engine.dialect.name == "postgresql" else "varchar(40)"
    run(engine, *(f"create table {name} ({columns.format(time=kind)})" for name, columns in SCHEMA.items()))
    run(engine, order(1, "2026-03-01T15:30:00+05:30"), order(2, "2026-03-01 10:00:00.123456Z"))
    company.connect("shop", credentials=url)
    company.load("shop")
    assert company.query("select updated_at from raw_shop.orders order by id") == [
        (datetime(2026, 3, 1, 10, tzinfo=UTC),),
        (datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC),),
    ]
    run(engine, order(3, "2026-03-02T00:00:00+00:00"))
    company.load("shop")
    assert company.query("select count(*) from raw_shop.orders") == [(3,)]


def test_times_without_an_offset_are_utc(company, database) -> None:
    url, engine = database
    kind = "timestamp" if engine.dialect.name == "postgresql" else TIME[engine.dialect.name]
    run(engine, *(f"create table {name} ({columns.format(time=kind)})" for name, columns in SCHEMA.items()))
    run(engine, order(1, "2026-03-01 10:00:00"))
    company.connect("shop", credentials=url)
    company.load("shop")
    run(engine, order(2, "2026-03-02 10:00:00"))
    company.load("shop")
    assert company.query("select id, updated_at from raw_shop.orders order by id") == [
        (1, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (2, datetime(2026, 3, 2, 10, tzinfo=UTC)),
    ]


def test_deleted_rows_leave_a_tombstone_and_rows_that_return_another(company, shop) -> None:
    company.load("shop")
    run(shop, "delete from order_line where order_id = 4", "delete from orders where id = 4")
    assert company.load("shop") == 0
    gone = [("order_line", 8, True), ("order_line", 9, True), ("orders", 4, True)]
    found = "select table_name, id, is_deleted from raw_shop.tombstones order by table_name, id, landed_at"
    assert company.query(found) == gone
    company.load("shop")
    assert company.query(found) == gone
    run(shop, order(4))
    company.load("shop")
    assert company.query(found) == [*gone, ("orders", 4, False)]
    assert company.query("select count(*) from raw_shop.orders where id = 4") == [(1,)]
    assert company.query(
        "select source_file, records_read, records_landed from raw_shop.manifest where table_name = 'tombstones' "
        "order by source_file, landed_at"
    ) == [("order_line", 2, 2), ("orders", 1, 1), ("orders", 1, 1)]


def test_row_committed_long_behind_the_cursor_lands(company, shop) -> None:
    run(shop, order(12, "2026-06-01 00:00:00+00:00"))
    company.load("shop")
    run(shop, order(13, "2026-01-01 00:00:00+00:00"), "insert into order_line values (99, 13, 7, 8, 'X', 1, 1, 0)")
    company.load("shop")
    assert company.query("select count(*) from raw_shop.orders where id = 13") == [(1,)]
    assert company.query("select count(*) from raw_shop.order_line where id = 99") == [(1,)]
    company.load("shop")
    assert company.query("select count(*) from raw_shop.orders where id = 13") == [(1,)]


def test_database_that_lost_most_rows_is_not_believed_until_told(company, shop) -> None:
    run(shop, *(order(number) for number in range(100, 160)))
    company.load("shop")
    run(shop, "delete from orders where id >= 20", "delete from orders where id < 9")
    assert company.load("shop") == 1
    assert "68 of the 70 rows of orders that landed are no longer in the database" in company.output
    assert company.query("select count(*) from raw_shop.tombstones") == [(0,)]
    company.connect("shop", most_deleted=1)
    assert company.load("shop") == 0
    assert company.query("select count(*) from raw_shop.tombstones where is_deleted") == [(68,)]


def test_without_the_sweep_no_tombstone_is_written(company, shop) -> None:
    company.connect("shop", sweep="false")
    company.load("shop")
    run(shop, "delete from orders where id = 4")
    assert company.load("shop") == 0
    assert company.query("select count(*) from raw_shop.tombstones") == [(0,)]


def test_rows_that_change_while_they_are_read_land_sooner_or_later(company, shop, monkeypatch) -> None:
    later = "2026-03-05 00:00:00+00:00"
    changes = [
        order(50, later),
        f"update orders set financial_status = 'refunded', updated_at = '{later}' where id in (1, 10)",
        "insert into order_line values (500, 50, 7, 8, 'SKU-00001', 1, 9.95, 0)",
        "delete from order_line where id = 20",
    ]
    if shop.dialect.name == "sqlite":  # who reads it holds off who writes it: changes fall between two runs
        company.load("shop")
        run(shop, *changes)
    else:
        typed, chunks = tables._typed, []

        def meanwhile(*arguments):
            chunks.append(arguments)
            if len(chunks) == 3:  # amid the orders
                run(shop, *changes)
            return typed(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(tables, "CHUNK_ROWS", 3)
            patch.setattr(tables, "_typed", meanwhile)
            company.load("shop")
        assert len(chunks) > 5
    company.load("shop")
    company.load("shop")
    assert company.query(
        "select id, arg_max(financial_status, updated_at) from raw_shop.orders where id in (1, 10, 50) "
        "group by id order by id"
    ) == [(1, "refunded"), (10, "refunded"), (50, "paid")]
    assert company.query("select id, count(*) from raw_shop.orders group by id having count(*) > 2") == []
    assert company.query("select count(*) from raw_shop.order_line where id = 500") == [(1,)]
    line_20 = company.query("select count(*) from raw_shop.order_line where id = 20")
    assert company.query("select count(*) from raw_shop.tombstones where id = 20 and is_deleted") == line_20


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        (
            "postgresql://shop:hunter2@127.0.0.1:9/shop",
            "cannot connect to postgresql+psycopg://shop:***@127.0.0.1:9/shop",
        ),
        ("sqlite:///nowhere/shop.db", "there is no database file nowhere/shop.db"),
        ("mysql+nodriver://shop@localhost/shop", "driver"),
        ("not a url", "not a SQLAlchemy URL"),
    ],
)
def test_unreachable_database_says_what_to_check_and_keeps_the_password(company, credentials: str, said: str) -> None:
    company.connect("shop", credentials=credentials)
    assert company.load("shop") == 1
    assert said in company.output
    assert "SOURCES__SHOP__CREDENTIALS" in company.output
    assert "hunter2" not in company.output
    assert counts(company)["orders"] == 0
