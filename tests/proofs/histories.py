"""Histories drawn by chance: what sources say of orders and of people load after load, as no sample company does."""

import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random

import duckdb
import pyarrow

from operate.proofs.raw import complete_load

FIRST_LOAD = datetime(2026, 7, 1, 6, tzinfo=UTC)
SKUS = [f"SKU-0000{number}" for number in range(1, 6)]
ACCOUNTS = (1, 2, 3)
EMAILS = ("1@example.com", "2@example.com", "guest@example.com", None)
TABLES = {
    "account": "raw_shop.customers",
    "order": "raw_shop.orders",
    "line": "raw_shop.order_line",
    "refund": "raw_shop.refund",
    "refund_line": "raw_shop.order_line_refund",
    "tombstone": "raw_shop.tombstones",
    "report": "raw_marketplace.orders",
    "sale": "raw_store.transactions",
    "rate": "raw_fx.rates",
    "contact": "raw_crm.contacts",
    "event": "raw_web.events",
}
STATED = ("report", "sale", "rate", "event")
"""What sources send; of the others a load sees what they are by then."""

TOMBSTONES = {"order": "orders", "line": "order_line", "refund_line": "order_line_refund"}
IDS = ("id", "order_id", "order_line_id", "refund_id", "amazon-order-id", "transaction_id")
NAMED = re.compile("<([0-9]+)>")
"""An id within a text."""

OF_HISTORY, OF_COPY = 10, 10_000_000
"""How far the ids of a history lie from those of the next, and the ids of a copy of it from those of the next copy."""


class Histories:
    """What is said of so many orders of each kind, and of as many pairs of people, load after load.

    The same for the same seed. `shop` holds the numbers of the orders of the shop, among which lines move.
    """

    def __init__(self, seed: int, orders: int, loads: int) -> None:
        """Draw."""
        self.random, self.loads = Random(seed), loads
        self.told: dict[int, dict[object, tuple[str, dict]]] = defaultdict(dict)
        self.shop = range(1, orders + 1)
        for account in ACCOUNTS:
            since = FIRST_LOAD - timedelta(days=30)
            row = {"id": account, "email": f"{account}@example.com", "created_at": since, "updated_at": since}
            self.tell(0, "account", row)
        for day in range(-9, loads):
            euro = round(self.random.uniform(0.8, 1.2), 4)
            rate = {"base": "USD", "date": str((FIRST_LOAD + timedelta(days=day - 1)).date())}
            self.tell(max(day, 0), "rate", rate | {"rates": {"EUR": euro, "GBP": round(euro * 0.85, 4)}})
        for place, draw in enumerate(
            (self.draw_shop_order, self.draw_marketplace_order, self.draw_receipt, self.draw_people)
        ):
            for number in self.shop:
                draw((place * orders + number) * OF_HISTORY)

    def tell(self, load: int, kind: str, row: dict) -> None:
        """Let a load tell a row."""
        told = self.told[load]
        number = row["payload"]["id"] if kind == "contact" else row.get("id")
        told[len(told) if kind in STATED else (kind, row.get("table_name"), number)] = kind, dict(row)

    def moment(self, load: int, days: int = 1) -> datetime:
        """Draw a time of the days before a load; many fall together, some on midnight."""
        midnight = (FIRST_LOAD + timedelta(days=load)).replace(hour=0)
        drawn = midnight - timedelta(days=self.random.randrange(days), hours=self.random.choice([0, 6, 12]))
        return drawn if self.happens(0.8) else drawn + timedelta(hours=5)

    def happens(self, share: float) -> bool:
        """Whether something happens that does in this share of all cases."""
        return self.random.random() < share

    def draw_shop_order(self, number: int) -> None:
        """An order of the shop with lines and refunds: corrected, cancelled, marked as a test, deleted, restored."""
        first = self.random.choice([0, 0, 0, 1, 2])
        made = self.moment(first, 3)
        order = {
            "id": number, "customer_id": self.random.choice((*ACCOUNTS, None)), "email": self.random.choice(EMAILS),
            "created_at": made, "updated_at": made if self.happens(0.8) else None, "cancelled_at": None,
            "currency": self.random.choice(["USD", "EUR"]), "total_tax": 1, "source_name": "web",
            "test": self.happens(0.15),
        }  # fmt: skip
        lines = [self.line(number, place) for place in range(self.random.choice([1, 1, 2]))]
        refunds: list[dict] = []
        gone: dict[tuple[str, int], bool] = {}
        self.tell(first, "order", order)
        for line in lines:
            self.tell(first + self.happens(0.1), "line", line)
        for load in range(first + 1, self.loads):
            for _ in range(self.random.choice([0, 1, 1, 2])):
                kind = self.random.choice(["order"] * 4 + ["line"] * 3 + ["refund", "delete", "delete"])
                if kind == "order":
                    self.change_order(load, order)
                elif kind == "line":
                    self.change_line(load, order, lines)
                elif kind == "refund":
                    self.refund(load, order, lines, refunds)
                else:
                    self.delete(load, order, lines, refunds, gone)

    def line(self, order: int, place: int) -> dict:
        """A line of an order."""
        return {
            "id": order + place, "order_id": order, "sku": self.random.choice(SKUS),
            "quantity": self.random.choice([1, 2, 3]), "price": self.random.choice([10, 20]),
            "total_discount": self.random.choice([0, 1]),
        }  # fmt: skip

    def change_order(self, load: int, order: dict) -> None:
        """A version of an order; some say that they are older than what landed before."""
        if order["updated_at"] is not None:
            order["updated_at"] = self.moment(load, 4 if self.happens(0.4) else 1)
        what = self.random.choice(
            ["cancelled_at"] * 3 + ["test", "currency", "customer_id", "email", "created_at", "nothing"]
        )
        if what == "cancelled_at":
            order[what] = self.moment(load, 4 if self.happens(0.6) else 1) if order[what] is None else None
        elif what == "test":
            order[what] = not order[what]
        elif what == "currency":
            order[what] = self.random.choice(["USD", "EUR", "GBP"])
        elif what == "customer_id":
            order[what] = self.random.choice((*ACCOUNTS, None))
        elif what == "email":
            order[what] = self.random.choice(EMAILS)
        elif what == "created_at":
            order[what] += timedelta(days=self.random.choice([-1, 1]))
        self.tell(load, "order", order)

    def change_line(self, load: int, order: dict, lines: list[dict]) -> None:
        """A line is added or says something else; one that landed before may say that it is another order's."""
        if self.happens(0.2) and len(lines) < OF_HISTORY:
            lines.append(self.line(order["id"], len(lines)))
            self.tell(load, "line", lines[-1])
            return
        line = self.random.choice(lines)
        has_landed = any(("line", None, line["id"]) in self.told[earlier] for earlier in range(load))
        what = self.random.choice(["quantity", "sku", "price", *(["order_id"] if has_landed else [])])
        line[what] = self.random.choice(
            {
                "quantity": [1, 2, 3, -1], "sku": [*SKUS, None], "price": [10, 20, 30],
                "order_id": [self.random.choice(self.shop) * OF_HISTORY],
            }[what]
        )  # fmt: skip
        self.tell(load, "line", line)

    def refund(self, load: int, order: dict, lines: list[dict], refunds: list[dict]) -> None:
        """A refund of a line, or another word on one of before."""
        if refunds and (self.happens(0.5) or len(refunds) == OF_HISTORY):
            refund = self.random.choice(refunds)
            refund["quantity"] = self.random.choice([1, 2])
            if self.happens(0.3):
                refund["order_line_id"] = self.random.choice(lines)["id"]
        else:
            number = order["id"] + len(refunds)
            self.tell(load, "refund", {"id": number, "order_id": order["id"], "created_at": self.moment(load, 2)})
            refund = {
                "id": number, "refund_id": number, "order_line_id": self.random.choice(lines)["id"], "quantity": 1,
                "subtotal": 9, "total_tax": 0,
            }  # fmt: skip
            refunds.append(refund)
        self.tell(load, "refund_line", refund)

    def delete(self, load: int, order: dict, lines: list[dict], refunds: list[dict], gone: dict) -> None:
        """Rows are gone, or there again: an order's, with its lines' or without, a line's, a refund's."""
        of_lines = [("line", line["id"]) for line in lines]
        if self.happens(0.4):
            rows = [("order", order["id"]), *(of_lines if self.happens(0.6) else [])]
        else:
            rows = [self.random.choice(of_lines + [("refund_line", refund["id"]) for refund in refunds])]
        is_deleted = not gone.get(rows[0], False)
        for kind, number in rows:
            gone[kind, number] = is_deleted
            tombstone = {"table_name": TOMBSTONES[kind], "id": number, "is_deleted": is_deleted}
            self.tell(load, "tombstone", tombstone)

    def draw_marketplace_order(self, number: int) -> None:
        """An order that is reported again and again: without a price, shipped, cancelled, listed again, late."""
        first = self.random.choice([0, 0, 1])
        skus = self.random.choices(SKUS, k=self.random.choice([1, 1, 2]))
        bought, currency = self.moment(first, 2), self.random.choice(["USD", "EUR"])
        for load in range(first, self.loads):
            if load > first and self.happens(0.3):
                continue
            updated = self.moment(load, 4 if self.happens(0.2) else 1)
            order_status = self.random.choice(["Pending", "Unshipped", "Shipped", "Shipped", "Cancelled"])
            for sku in skus:
                status = "Cancelled" if order_status == "Cancelled" or self.happens(0.25) else order_status
                has_price = self.happens({"Pending": 0.1, "Cancelled": 0.5}.get(status, 0.9))
                report = {
                    "amazon-order-id": number, "purchase-date": bought.isoformat(), "sku": sku, "ship-country": "US",
                    "last-updated-date": updated.isoformat(), "order-status": order_status, "item-status": status,
                    "quantity": str(0 if status == "Cancelled" else self.random.choice([1, 2])),
                    "item-price": str(self.random.choice([10, 20])) if has_price else "",
                    "currency": currency if has_price or self.happens(0.5) else "", "file": f"orders-{load}.tsv",
                }  # fmt: skip
                self.tell(load, "report", report)
            if self.happens(0.1):
                currency = self.random.choice(["USD", "EUR", "GBP"])

    def draw_receipt(self, number: int) -> None:
        """A receipt of a till, whose file is read again and says otherwise."""
        first = self.random.choice([0, 1, 2])
        sold = self.moment(first, 4)
        lines = [
            {
                "transaction_id": number, "line_no": str(place), "store_id": "STORE-LON",
                "sold_at": f"{sold:%Y-%m-%d %H:%M:%S}", "loyalty_id": self.random.choice(["", "7"]),
                "sku": self.random.choice(SKUS), "quantity": self.random.choice(["1", "2"]), "unit_price": "10.00",
                "currency": "GBP", "is_return": "false", "file": f"STORE-LON/{sold:%Y-%m-%d}.csv",
            }
            for place in range(1, self.random.choice([2, 3]))
        ]  # fmt: skip
        for load in range(first, self.loads):
            if load == first or self.happens(0.15):
                for line in lines:
                    self.tell(load, "sale", line)
            line = self.random.choice(lines)
            line["quantity"], line["unit_price"] = self.random.choice(["1", "2"]), self.random.choice(["9.00", "11.00"])

    def draw_people(self, number: int) -> None:
        """Two people with accounts, contacts, addresses, cards and devices, who order and become known for another."""
        world = People(number, self.happens(0.8), self.happens(0.8))
        for load in range(self.loads):
            for _ in range(self.random.choice([1, 2, 3])):
                {
                    "account": self.tell_account, "contact": self.tell_contact, "merge": self.tell_merge,
                    "event": self.tell_event, "order": self.tell_order, "given": self.tell_given,
                    "sale": self.tell_sale,
                }[self.random.choice(["account", "contact", "contact", "merge", "event", "event", "event", "order",
                                      "given", "sale"])](load, world)  # fmt: skip

    def tell_account(self, load: int, world: "People") -> None:
        """An account is made, or has another address."""
        account = world.number + self.random.choice([0, 1])
        email, changed = self.random.choice(world.emails), self.moment(load, 4 if self.happens(0.2) else 1)
        made = world.accounts.setdefault(account, self.moment(load, 3))
        updated = max(made, changed) if world.has_updates else None
        self.tell(load, "account", {"id": account, "email": email, "created_at": made, "updated_at": updated})

    def tell_contact(self, load: int, world: "People") -> None:
        """A contact is made or says something else, now and then of before; most bring their histories."""
        contact = world.number + self.random.choice([0, 1, 2])
        updated = self.moment(load, 4 if self.happens(0.2) else 1)
        if contact not in world.contacts:
            world.contacts[contact] = {"createdAt": self.moment(load, 3), "properties": {}, "history": {}}
        told = world.contacts[contact]
        updated = max(updated, told["createdAt"])
        name, value = self.random.choice(
            [("email", email) for email in world.emails] + [("loyalty_id", card) for card in world.cards]
            + [("lifecyclestage", stage) for stage in ("lead", "customer")]
            + [("personalization_consent", said) for said in ("true", "false")]
        )  # fmt: skip
        told["properties"][name] = value
        changed = updated - timedelta(days=self.random.choice([0, 0, 0, 2]))
        told["history"].setdefault(name, []).insert(0, {"value": value, "timestamp": changed.isoformat()})
        self.tell(load, "contact", world.contact(contact, updated))

    def tell_merge(self, load: int, world: "People") -> None:
        """A contact has taken in another."""
        if len(world.contacts) > 1:
            survivor, other = self.random.sample(sorted(world.contacts), 2)
            world.contacts[survivor]["properties"]["hs_merged_object_ids"] = f"<{other}>"
            updated = max(self.moment(load), world.contacts[survivor]["createdAt"])
            self.tell(load, "contact", world.contact(survivor, updated))

    def tell_event(self, load: int, world: "People", order: int | None = None) -> None:
        """Something is viewed or ordered on a device, by somebody who is logged in or not, and sent then or later."""
        happened, account = self.moment(load, 3), world.number + self.random.choice([0, 1])
        sent = max(happened, self.moment(load)).isoformat()
        world.events += 1
        event = {
            "messageId": f"<{world.number}>-{world.events}", "anonymousId": self.random.choice(world.devices),
            "userId": f"<{account}>" if order is None and self.happens(0.4) else None, "type": "track",
            "event": "Product Viewed" if order is None else "Order Completed", "channel": "browser",
            "originalTimestamp": happened.isoformat(), "sentAt": sent, "receivedAt": sent, "timestamp": sent,
            "context": {"userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"},
            "properties": {"product_id": SKUS[0]} if order is None else {"order_id": f"<{order}>"},
        }  # fmt: skip
        self.tell(load, "event", {"payload": event, "file": f"events-{load}.jsonl"})

    def tell_order(self, load: int, world: "People") -> None:
        """An order is placed, and its completion may be seen on a device."""
        if len(world.orders) == OF_HISTORY:
            return
        made, order = self.moment(load, 2), world.number + len(world.orders)
        world.orders[order] = {
            "id": order, "customer_id": self.random.choice([world.number, None, None]), "created_at": made,
            "email": self.random.choice(world.emails), "updated_at": made, "currency": "USD", "total_tax": 0,
            "source_name": "web", "test": False,
        }  # fmt: skip
        self.tell(load, "order", world.orders[order])
        self.tell(load, "line", self.line(order, 0))
        if self.happens(0.7):
            self.tell_event(min(load + self.happens(0.2), self.loads - 1), world, order)

    def tell_given(self, load: int, world: "People") -> None:
        """An order turns out to be another account's or address's."""
        if world.orders:
            order = world.orders[self.random.choice(sorted(world.orders))]
            order["customer_id"] = self.random.choice([world.number, world.number + 1, None])
            order["email"], order["updated_at"] = self.random.choice(world.emails), self.moment(load)
            self.tell(load, "order", order)

    def tell_sale(self, load: int, world: "People") -> None:
        """Somebody shows a card at a till."""
        sold, world.sales = self.moment(load, 3), world.sales + 1
        sale = {
            "transaction_id": world.number + world.sales % OF_HISTORY, "line_no": "1", "store_id": "STORE-LON",
            "sold_at": f"{sold:%Y-%m-%d %H:%M:%S}", "loyalty_id": self.random.choice(world.cards), "sku": SKUS[0],
            "quantity": "1", "unit_price": "10.00", "currency": "GBP", "is_return": "false",
            "file": f"STORE-LON/{sold:%Y-%m-%d}.csv",
        }  # fmt: skip
        self.tell(load, "sale", sale)

    def land(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Land each history once a load, as it was told up to that load, under ids of that copy's own (`copied`)."""
        connection.execute("set TimeZone = 'UTC'")
        landed: dict[tuple, list[dict]] = defaultdict(list)
        for load in range(self.loads):
            for place, (kind, row) in enumerate(self.told[load].values(), 1):
                for copy in range(load, self.loads) if ids(row) else [load]:
                    values = as_landed(kind, copied(row, copy), place)
                    content = sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()
                    values |= {"content_hash": content, "landed_at": FIRST_LOAD + timedelta(days=load)}
                    landed[TABLES[kind], *values].append(values | {"_dlt_load_id": f"load {load}"})
        for (table, *_), rows in landed.items():
            connection.register("landed", pyarrow.Table.from_pylist(rows))
            connection.execute(f"insert into {table} by name select * from landed")
        for schema in {table.split(".")[0] for table in TABLES.values()}:
            for load in range(self.loads):
                complete_load(connection, schema, f"load {load}")

    def told_of(self, number: int, until: int) -> list[str]:
        """Return what was told of a history up to a load, in words, for whoever looks into what a test found."""
        return [
            f"load {load} {kind}: " + ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
            for load in range(until + 1)
            for kind, row in self.told[load].values()
            if number in {told // OF_HISTORY for told in ids(row)}
        ]


class People:
    """What has been said of two people by then."""

    def __init__(self, number: int, has_updates: bool, has_histories: bool) -> None:
        """Nothing has; `has_updates`: accounts say when they changed; `has_histories`: contacts bring theirs."""
        self.number, self.has_updates, self.has_histories = number, has_updates, has_histories
        self.emails = [f"<{number + place}>@example.com" for place in range(3)]
        self.cards = [f"<{number + place}>" for place in range(2)]
        self.devices = [f"device-<{number + place}>" for place in range(2)]
        self.accounts: dict[int, datetime] = {}
        self.contacts: dict[int, dict] = {}
        self.orders: dict[int, dict] = {}
        self.events = self.sales = 0

    def contact(self, number: int, updated: datetime) -> dict:
        """Return what the CRM sends of a contact."""
        told = self.contacts[number]
        properties, history = dict(told["properties"]), {name: list(said) for name, said in told["history"].items()}
        payload = {"id": f"<{number}>", "createdAt": told["createdAt"].isoformat(), "updatedAt": updated.isoformat()}
        payload |= {"archived": False, "properties": properties}
        return {"payload": payload | ({"propertiesWithHistory": history} if self.has_histories else {}), "file": "/v3"}


def ids(row: dict) -> set[int]:
    """Return the ids in a row: those of shared accounts are none of a history."""
    named = {int(told) for told in NAMED.findall(json.dumps(row, default=str))}
    return (named | {row[name] for name in IDS if name in row}) - set(ACCOUNTS)


def copied(row: dict, copy: int) -> dict:
    """Return a row as the copy of its history tells it that ends with load `copy`."""
    apart = (copy + 1) * OF_COPY

    def moved(value: object) -> object:
        if isinstance(value, dict):
            return {name: moved(part) for name, part in value.items()}
        if isinstance(value, list):
            return [moved(part) for part in value]
        return NAMED.sub(lambda told: str(int(told[1]) + apart), value) if isinstance(value, str) else value

    numbers = {name: row[name] + apart for name in (*IDS, "customer_id") if row.get(name) and row[name] not in ACCOUNTS}
    return moved(row) | numbers | ({"file": f"{copy}/{row['file']}"} if "file" in row else {})


def as_landed(kind: str, row: dict, place: int) -> dict:
    """Return a row as its raw table holds it: what comes in files and pages is text."""
    if kind in ("report", "sale"):
        fields = {name: str(value) for name, value in row.items() if name != "file"}
        return {"payload": "", "fields": json.dumps(fields), "source_file": row["file"], "source_line": place}
    if kind == "rate":
        return {"payload": json.dumps(row), "source_file": "/v1", "source_key": row["date"]}
    if kind in ("contact", "event"):
        return {"payload": json.dumps(row["payload"]), "source_file": row["file"], "source_line": place}
    return dict(row)
