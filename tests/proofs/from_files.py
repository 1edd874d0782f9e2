"""What a company's files say, read without dlt, dbt or SQL: the other means by which published numbers are checked."""

import csv
import gzip
import json
import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ZONES = {
    "STORE-LON": "Europe/London",
    "STORE-BER": "Europe/Berlin",
    "STORE-NYC": "America/New_York",
    "STORE-BLR": "Asia/Kolkata",
}
BOT_WORDS = ("bot", "crawl", "spider", "headless", "python-requests")
KINDS = {
    "Product Viewed": "view", "Product Added": "cart", "Product Removed": "removal", "Product Clicked": "click",
    "Product List Viewed": "list",
}  # fmt: skip


@dataclass
class Event:
    """An event that is good: neither broken nor a copy."""

    source: str
    id: str
    name: str
    at: datetime
    known: datetime
    device: str | None
    user: str | None
    product: str | None
    shown: list[str]
    is_bot: bool
    order: str | None = None
    is_personal: bool = True
    is_analytic: bool = True


@dataclass
class Line:
    """A line of an order, with what happened to it: known when, cancelled when, what came back when (units, amount).

    `removed`: when it was taken out of an order that goes on.
    """

    id: str
    order: str
    channel: str
    buyer: tuple[str, str] | None
    product: str
    at: datetime
    known: datetime
    cancelled: datetime | None
    units: int
    currency: str | None
    gross: float | None
    discount: float
    back: list[tuple[datetime, int, float]]
    removed: datetime | None = None

    def left_at(self, moment: datetime) -> "Line":
        """Return the line as it was known to be before a moment: nothing is left of one that was removed."""
        is_removed = self.removed is not None and self.removed < moment
        return replace(self, units=0, gross=0.0, discount=0.0) if is_removed else self


def moment(text: str | None) -> datetime | None:
    """Return a time in ISO 8601 as UTC; without an offset it is UTC already; None when it is no time."""
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def events(company: Path) -> list[Event]:
    """Return the good events of web and app; of copies the one that was received first."""
    found: dict[tuple[str, str], Event] = {}
    for source in ("web", "mobile"):
        for path in sorted((company / source).rglob("*.gz")):
            for line in gzip.decompress(path.read_bytes()).decode().split("\n"):
                try:
                    sent = json.loads(line)
                except ValueError:
                    continue
                known = moment(sent.get("receivedAt"))
                if not sent.get("messageId") or known is None:
                    continue
                key = (source, sent["messageId"])
                if key not in found or known < found[key].known:
                    found[key] = event(source, sent, known)
    return list(found.values())


def event(source: str, sent: dict, known: datetime) -> Event:
    """Return one event, its time corrected by the delay between the device's own two times."""
    original, sent_at = moment(sent.get("originalTimestamp")), moment(sent.get("sentAt"))
    at = min(known - (sent_at - original), known) if original and sent_at else known
    properties = sent.get("properties", {})
    agent = sent.get("context", {}).get("userAgent", "").lower()
    name = sent["type"] if sent["type"] in ("page", "screen") else sent["event"]
    shown = [each["product_id"] for each in properties.get("products", [])] if name == "Product List Viewed" else []
    is_bot = any(word in agent for word in BOT_WORDS)
    context = sent.get("context", {})
    device = context.get("device", {}).get("id") or sent.get("anonymousId")
    agreed = context.get("consent", {}).get("categoryPreferences", {})
    return Event(
        source, sent["messageId"], name, at, known, device, sent.get("userId"), properties.get("product_id"), shown,
        is_bot, properties.get("order_id"), agreed.get("Personalization", True), agreed.get("Analytics", True),
    )  # fmt: skip


def shop_lines(company: Path) -> Iterator[Line]:
    """Yield the lines of the web shop's orders, test orders left out."""
    connection = sqlite3.connect(company / "shop.db")
    refunds = defaultdict(list)
    for line, created, units, amount in connection.execute(
        """select order_line_id, created_at, quantity, subtotal from order_line_refund
        inner join refund on refund.id = refund_id"""
    ):
        refunds[line].append((moment(created), units, amount))
    for row in connection.execute(
        """select l.id, o.id, customer_id, lower(email), sku, created_at, cancelled_at, quantity, currency, price,
        total_discount from order_line l inner join orders o on o.id = order_id where not test"""
    ):
        line, order, account, email, sku, created, cancelled, quantity, currency, price, discount = row
        buyer = ("account", str(account)) if account else ("email", email)
        at = moment(created)
        yield Line(
            f"web_shop-{line}", f"web_shop-{order}", "web_shop", buyer, sku, at, at, moment(cancelled), quantity,
            currency, round(price * quantity, 4), discount, refunds[line],
        )  # fmt: skip
    connection.close()


def marketplace_lines(company: Path) -> Iterator[Line]:
    """Yield the lines of the marketplace's orders as they were last reported.

    A report may list a product of an order twice: what is not the same to the letter is another line.
    """
    listed = defaultdict(set)
    for path in sorted((company / "marketplace").iterdir()):
        header, *rows = [line.split("\t") for line in path.read_text().split("\n") if line]
        for row in rows:
            if len(row) == len(header):
                line = dict(zip(header, row, strict=True))
                item = (line["amazon-order-id"], line["sku"], moment(line["last-updated-date"]))
                listed[item].add((line["quantity"], tuple(line.items())))
    versions = defaultdict(dict)
    for (order, sku, at), lines in listed.items():
        for number, (_, line) in enumerate(sorted(lines), 1):
            versions[order, f"{numbered(number)}-{sku}"][at] = dict(line)
    gone = {}
    for (order, _), reports in versions.items():
        stops = [at for at, line in reports.items() if line["order-status"] == "Cancelled"]
        stands = reports[max(reports)]["order-status"] != "Cancelled"
        before = gone.get(order, (True, None))
        gone[order] = (before[0] and not stands, max(filter(None, [before[1], min(stops, default=None)]), default=None))
    for (order, item), reports in versions.items():
        last = reports[max(reports)]
        priced = [at for at, line in reports.items() if line["item-price"]]
        cancelled = gone[order][1] if gone[order][0] else None
        removed = [
            at
            for at, line in reports.items()
            if line["item-status"] == "Cancelled" and line["order-status"] != "Cancelled"
        ]
        yield Line(
            f"marketplace-{order}{item}", f"marketplace-{order}", "marketplace", None, last["sku"],
            moment(last["purchase-date"]), min(priced, default=max(reports)), cancelled, int(last["quantity"]),
            last["currency"] or None, float(last["item-price"]) if last["item-price"] else None,
            float(last["item-promotion-discount"] or 0), [], min(removed, default=None),
        )  # fmt: skip


def store_lines(company: Path) -> Iterator[Line]:
    """Yield the lines of the tills; of a file that was sent twice, once.

    A till may number two lines alike: what is not the same to the letter is another line.
    """
    said = defaultdict(set)
    for path in sorted((company / "store").rglob("*.csv")):
        with path.open(newline="") as file:
            header, *rows = csv.reader(file)
        for row in rows:
            line = dict(zip(header, row, strict=False))
            if len(row) == len(header) and line["quantity"].lstrip("-").isdigit() and float(line["unit_price"]) >= 0:
                # A till that was offline sends a sale with a later day's.
                filed = max(line["sold_at"][:10], path.name[:10])
                key = (line["store_id"], line["sold_at"][:10], line["transaction_id"], line["line_no"], filed)
                said[key].add((line["sku"], line["quantity"], tuple(line.items())))
    for (*_, filed), lines in said.items():
        for number, (_, _, line) in enumerate(sorted(lines), 1):
            yield store_line(dict(line), date.fromisoformat(filed), number)


def store_line(line: dict[str, str], filed: date, number: int) -> Line:
    """Return a till's line, of a file of some day, which of those that bear its number it is."""
    zone, local = ZoneInfo(ZONES[line["store_id"]]), datetime.fromisoformat(line["sold_at"])
    evening = datetime.combine(filed + timedelta(days=1), time(), zone)
    units, price = int(line["quantity"]), float(line["unit_price"])
    at, known = local.replace(tzinfo=zone).astimezone(UTC), evening.astimezone(UTC)
    is_return = line["is_return"] == "true" or units < 0
    order = f"store-{line['store_id']}-{local.date()}-{line['transaction_id']}"
    return Line(
        f"{order}-{line['line_no']}{numbered(number)}", order, "store",
        ("card", line["loyalty_id"]) if line["loyalty_id"] else None,
        line["sku"], at, known, None, 0 if is_return else units, line["currency"],
        0.0 if is_return else round(units * price, 4), 0.0,
        [(known, abs(units), round(abs(units) * price, 4))] if is_return else [],
    )  # fmt: skip


def numbered(number: int) -> str:
    """Return what tells the second and further lines that bear one number from the first."""
    return f"#{number}" if number > 1 else ""


class Rates:
    """The exchange rates, and which of them was out at a moment."""

    def __init__(self, company: Path) -> None:
        """Read the rates that the API serves."""
        rates = json.loads((company / "api" / "rates.json").read_text())["rates"]
        berlin = ZoneInfo("Europe/Berlin")
        self.days = sorted(rates)
        self.rates = rates
        self.out = [datetime.combine(date.fromisoformat(d), time(16), berlin).astimezone(UTC) for d in self.days]

    def to_usd(self, currency: str | None, at: datetime) -> tuple[float | None, str | None]:
        """Return dollars for one of `currency` and the day of the rate; None without one that is young enough."""
        if currency == "USD":
            return 1.0, None
        place = bisect_right(self.out, at) - 1
        if currency is None or place < 0 or at >= self.out[place] + timedelta(days=7):
            return None, None
        return 1 / self.rates[self.days[place]][currency], self.days[place]


def cents(amount: float | None, rate: float | None) -> int | None:
    """Return an amount in whole cents of the reporting currency, halves away from zero."""
    if amount is None or rate is None:
        return None
    scaled = amount * rate * 100
    return int(abs(scaled) + 0.5) * (1 if scaled >= 0 else -1)
