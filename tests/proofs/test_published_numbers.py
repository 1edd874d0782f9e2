"""Published numbers, recomputed from the company's files by other means."""

import gzip
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.conftest import Build
from tests.proofs import as_of, from_files
from tests.proofs.as_of import AsOf
from tests.proofs.from_files import Line, Rates, cents


@pytest.fixture(scope="module")
def known(company: Build) -> AsOf:
    """All that the company's files tell."""
    return AsOf(as_of.read(company.files), datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def lines(company: Build) -> list[Line]:
    readers = (from_files.shop_lines, from_files.marketplace_lines, from_files.store_lines)
    return [line.left_at(datetime.max.replace(tzinfo=UTC)) for reader in readers for line in reader(company.files)]


def rows(company: Build, sql: str) -> list[dict]:
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        result = connection.execute(sql)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def names(company: Build) -> Callable[[str | None], str | None]:
    """Return what tells a customer's published name: a guest's is made from the hash of the address."""
    hashes = {
        row["email"]: row["email_hash"]
        for row in rows(
            company, "select distinct email, email_hash from staging.stg_shop__orders where email is not null"
        )
    }

    def name(customer: str | None) -> str | None:
        is_guest = customer is not None and customer.startswith("guest:")
        return f"guest-{hashes[customer.removeprefix('guest:')][:16]}" if is_guest else customer

    return name


def utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def test_every_line_of_every_file_is_in_the_books(company: Build) -> None:
    books = rows(company, "select * from operations.landed_records where source in ('web', 'mobile')")
    counted = {
        (source, str(path.relative_to(company.files / source))): gzip.decompress(path.read_bytes()).count(b"\n")
        for source in ("web", "mobile")
        for path in (company.files / source).rglob("*.gz")
    }
    assert len(counted) > 80
    assert {(b["source"], b["source_file"]): b["records_read"] for b in books} == counted
    assert {(b["source"], b["source_file"]): b["records_landed"] for b in books} == counted


def test_events_are_those_of_the_files_with_their_times_and_customers(company: Build, known: AsOf) -> None:
    published = {
        (row["source"], row["event_id"]): (
            row["event_name"], utc(row["event_at"]), utc(row["known_at"]), row["is_bot"],
            None if row["is_bot"] else row["customer_id"],
        )
        for row in rows(company, "from core.fct_events")
    }  # fmt: skip
    name = names(company)
    expected = {}
    for event in known.company.events:
        is_bot = event.is_bot or event.device in known.bots
        customer = None if is_bot else name(known.customer_of_event(event))
        expected[event.source, event.id] = (event.name, event.at, event.known, is_bot, customer)
    assert len(expected) > 5_000
    assert published == expected


def test_corrected_times_agree_with_the_truth(company: Build, known: AsOf) -> None:
    events = known.company.events
    truth = pq.read_table(company.files / "truth" / "events.parquet").to_pylist()
    happened = {(t["source"], t["message_id"]): t["event_at"].replace(tzinfo=UTC) for t in truth}
    planted = {e.id for e in events if e.id.startswith(("canary", "odd"))}
    apart = [abs((e.at - happened[e.source, e.id]).total_seconds()) for e in events if e.id not in planted]
    assert max(apart) < 2, "a corrected time is off by more than two seconds"


def test_order_lines_and_their_money(company: Build, lines: list[Line]) -> None:
    rates = Rates(company.files)
    published = {row["order_line_id"]: row for row in rows(company, "from core.fct_order_lines")}
    assert len(lines) > 800
    assert set(published) == {line.id for line in lines}
    for line in lines:
        row = published[line.id]
        rate, day = rates.to_usd(line.currency, line.at)
        refunded = round(sum(amount for _, _, amount in line.back), 4)
        assert (row["order_id"], row["product_id"], utc(row["ordered_at"])) == (line.order, line.product, line.at)
        assert (row["source_currency"], row["is_cancelled"]) == (line.currency, line.cancelled is not None)
        assert utc(row["known_at"]) == line.known
        assert row["fx_rate"] == pytest.approx(rate) if rate else row["fx_rate"] is None
        assert str(row["fx_date"]) == str(day)
        parts = [cents(amount, rate) for amount in (line.gross, line.discount, refunded)]
        found = [row[name] for name in ("gross_amount", "discount_amount", "refund_amount")]
        assert [None if amount is None else round(amount * 100) for amount in found] == parts, line
        if None not in parts:
            assert round(row["net_amount"] * 100) == parts[0] - parts[1] - parts[2]


def test_totals_agree_with_the_truth_by_channel_and_currency(company: Build) -> None:
    spoiled = pq.read_table(company.files / "truth" / "spoiled_lines.parquet").to_pylist()
    assert spoiled
    truth: Counter = Counter()
    for line in pq.read_table(company.files / "truth" / "order_lines.parquet").to_pylist():
        if line["channel"] == "web_shop" and not line["is_test"]:
            truth[line["currency"]] += round(100 * (line["gross"] - line["discount"] - line["refunded"]))
    published = {
        row["source_currency"]: round(row["amount"] * 100)
        for row in rows(
            company,
            """select
                source_currency,
                sum(source_gross_amount - source_discount_amount - source_refund_amount) as amount
            from core.fct_order_lines
            where sales_channel = 'web_shop' and order_id not in ('web_shop-990002', 'web_shop-980001')
            group by all""",
        )
    }
    assert published == dict(truth)


@pytest.mark.parametrize("place", ["first quarter", "half", "last"])
def test_features_are_what_follows_from_what_was_known(company: Build, known: AsOf, place: str) -> None:
    days = [
        row["day"]
        for row in rows(company, "select feature_at as day from features.product_pairs group by 1 order by 1")
    ]
    day = {"first quarter": days[len(days) // 4], "half": days[len(days) // 2], "last": days[-1]}[place]
    then, name = AsOf(known.company, utc(day)), names(company)
    published = {
        table: rows(company, f"from features.{table} where feature_at = timestamp '{day}'")
        for table in (
            "customer_features", "customer_product_features", "customer_category_features", "product_features",
            "product_pairs",
        )
    }  # fmt: skip
    whose = {name(customer): customer for customer in then.customers()}
    customers = {row["customer_id"]: whose.get(row["customer_id"], "") for row in published["customer_features"]}
    expected = {
        "customer_features": {(c,): then.customer(who) for c, who in customers.items()},
        "customer_product_features": {
            (c, p): row for c, who in customers.items() for p, row in then.products(who).items()
        },
        "customer_category_features": {
            (c, k): row for c, who in customers.items() for k, row in then.categories(who).items()
        },
        "product_features": {
            (row["product_id"],): then.product(row["product_id"]) for row in published["product_features"]
        },
        "product_pairs": {(one, other, relation): row for (relation, one, other), row in then.pairs().items()},
    }
    compared = 0
    for table, wanted in expected.items():
        values, apart = compare(published[table], wanted)
        print(f"{table} of {day:%Y-%m-%d}: {values:,} values worked out from the files, {len(apart)} differ")
        assert apart == []
        compared += values
    assert compared > 5_000


def compare(published: list[dict], expected: dict[tuple, dict]) -> tuple[int, list]:
    """Return how many values were compared, and those that differ: (key, column, published, expected)."""
    keys = ("customer_id", "product_id", "related_product_id", "category", "relation")
    width = len(next(iter(expected), ()))
    found = {tuple(row[key] for key in keys if key in row)[:width]: row for row in published}
    apart = [(key, "is published", key in found, key in expected) for key in set(found) ^ set(expected)]
    values = 0
    for key in set(found) & set(expected):
        for column, value in expected[key].items():
            values += 1
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if found[key][column] != (pytest.approx(value, rel=1e-9, abs=1e-9) if is_number else value):
                apart.append((key, column, found[key][column], value))
    return values, apart


def test_prices_are_those_of_the_feed_of_the_day_before(company: Build, known: AsOf) -> None:
    feeds = known.company.feeds
    compared = 0
    for row in rows(company, "from features.product_features"):
        product = feeds.get(row["feature_at"].date() - timedelta(days=1), {}).get(row["product_id"])
        if product is None and row["feature_at"].date() - timedelta(days=1) not in feeds:
            continue
        price = product if product is None else pytest.approx(product["price"])
        assert row["price"] == price, row
        compared += 1
    assert compared > 2_000
