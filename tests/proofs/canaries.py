"""Personal data that can be found again: planted in every place of the sources where such data may stand."""

import gzip
import json
import sqlite3
from pathlib import Path

import duckdb

EMAILS = {
    name: f"canary.{name}@example.com"
    for name in ("account", "guest", "contact", "profile", "marketplace", "event", "broken")
}
CANARIES = [
    *EMAILS.values(),
    "Canarybird",  # first name
    "Yellowfeather",  # last name
    "+1-555-0100-7777",  # phone
    "203.0.113.254",  # IP
    "CANARY-AD-ID-0000-4711",  # advertising id
    "Canary Street 17",  # address
]


def canaries_in(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the canaries that a table or view holds in any column, in upper or lower case."""
    counts = ", ".join("count(*) filter (where contains(content, lower(?)))" for _ in CANARIES)
    content = f"select lower(cast(record as varchar)) as content from {table} as record"
    rows = connection.execute(f"select {counts} from ({content})", CANARIES).fetchone()
    return [canary for canary, count in zip(CANARIES, rows, strict=True) if count]


def plant(company: Path) -> None:
    """Write the canaries into the files of a sample company."""
    plant_events(company)
    plant_shop(company / "shop.db")
    plant_api(company / "api")
    plant_marketplace(company / "marketplace")


def plant_events(company: Path) -> None:
    """An app's event with all that a device tells, and a line that is broken in the middle of an address."""
    event = {
        "messageId": "canary-event",
        "anonymousId": "canary-device",
        "userId": "990001",
        "type": "track",
        "event": "Product Viewed",
        "originalTimestamp": "2026-06-29T10:00:00.000Z",
        "sentAt": "2026-06-29T10:00:01.000Z",
        "receivedAt": "2026-06-29T10:00:02.000Z",
        "context": {
            "ip": "203.0.113.254",
            "userAgent": "Mozilla/5.0 Canarybird",
            "page": {"url": f"https://shop.example.com/?email={EMAILS['event']}", "path": "/"},
            "device": {"id": "d", "type": "ios", "advertisingId": "CANARY-AD-ID-0000-4711"},
            "traits": {"email": EMAILS["event"], "firstName": "Canarybird", "address": "Canary Street 17"},
        },
        "properties": {"product_id": "SKU-00001", "query": EMAILS["event"]},
    }
    broken = json.dumps({"messageId": "canary-broken", "context": {"traits": {"email": EMAILS["broken"]}}})[:-3]
    for source in ("web", "mobile"):
        folder = company / source / "2026-06-29"
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(folder / "canary.jsonl.gz", "wt") as file:
            file.write(json.dumps(event) + "\n" + broken + "\n")


def plant_shop(database: Path) -> None:
    """An account, and a guest's order."""
    with sqlite3.connect(database) as connection:
        connection.execute(
            """insert into customers
            (id, email, created_at, updated_at, first_name, last_name, phone, country_code, accepts_marketing)
            values (990001, ?, '2026-06-01 08:00:00', '2026-06-01 08:00:00', 'Canarybird', 'Yellowfeather',
            '+1-555-0100-7777', 'US', 1)""",
            (EMAILS["account"],),
        )
        place_guest_order(connection, 990002, EMAILS["guest"], "2026-06-02 08:00:00", [("SKU-00001", 10)], tax=1)
    connection.close()


def place_guest_order(
    connection: sqlite3.Connection, number: int, email: str, at: str, lines: list[tuple[str, int]], tax: int = 0
) -> None:
    """Write an order that is paid, with a line for each sku and price in dollars, into the shop's database."""
    total = sum(price for _, price in lines)
    connection.execute(
        """insert into orders
        (id, customer_id, email, created_at, processed_at, updated_at, financial_status, currency, subtotal_price,
        total_discounts, total_tax, total_price, source_name, test)
        values (?, null, ?, ?, ?, ?, 'paid', 'USD', ?, 0, ?, ?, 'web', 0)""",
        (number, email, at, at, at, total, tax, total + tax),
    )
    connection.executemany(
        """insert into order_line (id, order_id, product_id, variant_id, sku, quantity, price, total_discount)
        values (?, ?, 1, 1, ?, 1, ?, 0)""",
        [(number + place, number, sku, price) for place, (sku, price) in enumerate(lines, 1)],
    )


def plant_api(folder: Path) -> None:
    """A contact of the CRM and a profile of the marketing platform with an event."""
    contact = {
        "id": "990004",
        "properties": {
            "email": EMAILS["contact"],
            "firstname": "Canarybird",
            "lastname": "Yellowfeather",
            "phone": "+1-555-0100-7777",
            "address": "Canary Street 17",
            "lifecyclestage": "customer",
            "createdate": "2026-06-01T08:00:00.000Z",
            "lastmodifieddate": "2026-06-01T08:00:00.000Z",
        },
        "propertiesWithHistory": {},
        "createdAt": "2026-06-01T08:00:00.000Z",
        "updatedAt": "2026-06-01T08:00:00.000Z",
        "archived": False,
    }
    profile = {
        "type": "profile",
        "id": "canary-profile",
        "attributes": {"email": EMAILS["profile"], "phone_number": "+1-555-0100-7777", "first_name": "Canarybird"},
    }
    append(folder / "contacts.jsonl", contact)
    append(folder / "marketing_profiles.jsonl", profile)
    events = [json.loads(line) for line in (folder / "marketing_events.jsonl").read_text().splitlines()]
    event = json.loads(json.dumps(events[-1])) | {"id": "canary-response"}
    event["relationships"]["profile"]["data"]["id"] = "canary-profile"
    event["attributes"]["event_properties"] = {"Subject": f"For {EMAILS['profile']}"}
    append(folder / "marketing_events.jsonl", event)


def plant_marketplace(folder: Path) -> None:
    """A report's line with one field too many, which is an address."""
    file = sorted(folder.glob("*.tsv"))[-1]
    with file.open("a", encoding="utf-8") as report:
        report.write("\t".join(["x"] * 15 + [EMAILS["marketplace"], "Canary Street 17"]) + "\n")


def append(file: Path, record: dict) -> None:
    """Add one JSON line to `file`."""
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(record) + "\n")
