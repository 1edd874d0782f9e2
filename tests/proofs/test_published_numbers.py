"""Published numbers, recomputed from the company's files by other means."""

import gzip
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.conftest import Build
from tests.proofs import from_files
from tests.proofs.from_files import Event, Line, Rates, cents

WINDOWS = (1, 7, 30, 90)
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def events(company: Build) -> list[Event]:
    return from_files.events(company.files)


@pytest.fixture(scope="module")
def lines(company: Build) -> list[Line]:
    readers = (from_files.shop_lines, from_files.marketplace_lines, from_files.store_lines)
    return [line for reader in readers for line in reader(company.files)]


def rows(company: Build, sql: str) -> list[dict]:
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        result = connection.execute(sql)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def days_before(feature_at: datetime, at: datetime) -> int:
    return (feature_at.date() - at.date()).days


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


def test_events_are_those_of_the_files_with_their_times_and_customers(company: Build, events: list[Event]) -> None:
    published = {
        (row["source"], row["event_id"]): (
            row["event_name"], utc(row["event_at"]), utc(row["known_at"]), row["customer_id"],
            utc(row["attributed_at"]), row["is_bot"],
        )
        for row in rows(company, "from core.fct_events")
    }  # fmt: skip
    expected = {(e.source, e.id): (e.name, e.at, e.known, e.customer, e.attributed, e.is_bot) for e in events}
    assert len(expected) > 5_000
    assert published == expected


def test_events_agree_with_the_truth(company: Build, events: list[Event]) -> None:
    truth = pq.read_table(company.files / "truth" / "events.parquet").to_pylist()
    happened = {(t["source"], t["message_id"]): t["event_at"].replace(tzinfo=UTC) for t in truth}
    planted = {e.id for e in events if e.id.startswith("canary")}
    apart = [abs((e.at - happened[e.source, e.id]).total_seconds()) for e in events if e.id not in planted]
    assert max(apart) < 2, "a corrected time is off by more than two seconds"
    people = {
        p["shop_customer_id"]: p["person_id"]
        for p in pq.read_table(company.files / "truth/persons.parquet").to_pylist()
    }
    of_event = {(t["source"], t["message_id"]): t["person_id"] for t in truth}
    linked = [e for e in events if e.customer and e.customer in people and e.id not in planted]
    right = sum(people[e.customer] == of_event[e.source, e.id] for e in linked)
    print(f"{right:,} of {len(linked):,} events are given to the right person")
    assert right / len(linked) > 0.97, f"{right} of {len(linked)} events are given to the right person"


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
            where sales_channel = 'web_shop' and order_id <> 'web_shop-990002'
            group by all""",
        )
    }
    assert published == dict(truth)


def owners(company: Build) -> dict[str, list[dict]]:
    """Return for each order the customers it stood for and from when to when, as published links say."""
    found = defaultdict(list)
    for row in rows(company, "from intermediate.int_orders__attributed"):
        found[row["order_id"]].append(row)
    return found


def test_customer_features(company: Build, events: list[Event], lines: list[Line]) -> None:
    rates, owner = Rates(company.files), owners(company)
    by_customer, orders = defaultdict(list), defaultdict(list)
    for each in events:
        if each.customer and not each.is_bot:
            by_customer[each.customer].append(each)
    for line in lines:
        if line.gross is not None:
            for row in owner[line.order]:
                orders[row["customer_id"]].append((line, utc(row["attributed_at"]), row["unattributed_at"]))
    compared = 0
    for row in rows(company, "from features.customer_features"):
        feature_at = utc(row["feature_at"])
        seen = [e for e in by_customer[row["customer_id"]] if e.at < feature_at and e.attributed < feature_at]
        expected = {}
        for days in WINDOWS:
            recent = [e for e in seen if days_before(feature_at, e.at) <= days]
            expected[f"views_{days}d"] = sum(e.name == "Product Viewed" for e in recent)
            expected[f"carts_{days}d"] = sum(e.name == "Product Added" for e in recent)
            expected[f"sessions_{days}d"] = session_starts(seen, feature_at, days)
        expected |= order_features(rates, orders[row["customer_id"]], feature_at)
        for name, value in expected.items():
            assert row[name] == (pytest.approx(value, abs=TOLERANCE) if value is not None else None), (row, name)
        compared += len(expected)
    print(f"{compared:,} values of customer_features agree")
    assert compared > 10_000


def session_starts(seen: list[Event], feature_at: datetime, days: int) -> int:
    """Count the sessions of the last days as they were known: an event with none in the thirty minutes before it."""
    starts, last = 0, None
    for at in sorted({e.at for e in seen}):
        if (last is None or at - last > timedelta(minutes=30)) and days_before(feature_at, at) <= days:
            starts += 1
        last = at
    return starts


def order_features(rates: Rates, owned: list[tuple], feature_at: datetime) -> dict:
    """Return what was known of a customer's orders before a day began."""
    stands: dict[str, date] = {}
    revenue: Counter = Counter()
    returned = ordered = 0
    for line, since, until in owned:
        known = max(line.known, since)
        if line.at >= feature_at or known >= feature_at or line.known >= utc(until):
            continue
        rate, _ = rates.to_usd(line.currency, line.at)
        age = days_before(feature_at, line.at)
        is_off = line.cancelled is not None and max(line.cancelled, known) < feature_at
        if line.units > 0 and not is_off:
            stands[line.order] = line.at.date()
        if is_off:
            continue
        ordered += line.units if age <= 90 else 0
        value = (cents(line.gross, rate) or 0) - (cents(line.discount, rate) or 0)
        for back, units, amount in line.back:
            if line.cancelled is None and max(back, known) < feature_at and back < utc(until):
                value -= cents(amount, rate) or 0
                returned += units if age <= 90 else 0
        revenue[age] += value
    last = max(stands.values(), default=None)
    features = {
        "orders_lifetime": len(stands),
        "revenue_lifetime": sum(revenue.values()) / 100,
        "recency_days": (feature_at.date() - last).days if last else None,
        "return_rate_90d": returned / ordered if ordered else None,
    }
    for days in WINDOWS:
        features[f"orders_{days}d"] = sum((feature_at.date() - day).days <= days for day in stands.values())
        features[f"revenue_{days}d"] = sum(value for age, value in revenue.items() if age <= days) / 100
    return features


def test_product_features(company: Build, events: list[Event], lines: list[Line]) -> None:
    happened, shown, sold = defaultdict(list), defaultdict(list), defaultdict(list)
    for each in events:
        if not each.is_bot:
            if each.product:
                happened[each.product].append((each.at, each.known, from_files.KINDS.get(each.name)))
            for product in each.shown:
                shown[product].append((each.at, each.known))
    for line in lines:
        if line.gross is not None:
            sold[line.product].append(line)
    compared = 0
    for row in rows(company, "from features.product_features using sample 2000 rows (reservoir, 7)"):
        feature_at, product = utc(row["feature_at"]), row["product_id"]
        seen = [(a, kind) for a, known, kind in happened[product] if a < feature_at and known < feature_at]
        expected = {}
        for days in WINDOWS:
            recent = [kind for at, kind in seen if days_before(feature_at, at) <= days]
            expected[f"views_{days}d"], expected[f"carts_{days}d"] = recent.count("view"), recent.count("cart")
            orders = {
                line.order: line.buyer
                for line in sold[product]
                if line.units > 0 and line.at < feature_at and line.known < feature_at
                and not (line.cancelled and max(line.cancelled, line.known) < feature_at)
                and days_before(feature_at, line.at) <= days
            }  # fmt: skip
            expected[f"orders_{days}d"] = len(orders)
            expected[f"buyers_{days}d"] = len(set(filter(None, orders.values())))
        impressions = [
            at
            for at, known in shown[product]
            if at < feature_at and known < feature_at and days_before(feature_at, at) <= 30
        ]
        clicks = sum(kind == "click" for at, kind in seen if days_before(feature_at, at) <= 30)
        expected["click_rate_30d"] = clicks / len(impressions) if impressions else None
        for name, value in expected.items():
            assert row[name] == (pytest.approx(value) if value is not None else None), (row, name)
        compared += len(expected)
    print(f"{compared:,} values of product_features agree")
    assert compared > 30_000


def test_prices_are_those_of_the_feed_of_the_day_before(company: Build) -> None:
    feeds = read_feeds(company.files / "catalog")
    compared = 0
    for row in rows(company, "from features.product_features"):
        product = feeds.get(row["feature_at"].date() - timedelta(days=1), {}).get(row["product_id"])
        if product is None and row["feature_at"].date() - timedelta(days=1) not in feeds:
            continue
        price = product if product is None else pytest.approx(product)
        assert row["price"] == price, row
        compared += 1
    assert compared > 2_000


def read_feeds(folder: Path) -> dict[date, dict[str, float]]:
    """Return by day what each listed product cost: the sale price while the sale lasts."""
    import csv
    import io

    feeds = {}
    for path in sorted(folder.iterdir()):
        day = date.fromisoformat(path.name[9:19])
        header, *records = csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode()), delimiter="\t")
        prices = {}
        for record in records:
            if len(record) != len(header):
                continue
            product = dict(zip(header, record, strict=True))
            start, _, end = product["sale_price_effective_date"].partition("/")
            on_sale = product["sale_price"] and start[:10] <= str(day) < end[:10]
            prices[product["id"]] = float((product["sale_price"] if on_sale else product["price"]).split()[0])
        feeds[day] = prices
    return feeds
