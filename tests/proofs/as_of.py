"""All that was knowable at a moment, and the features that follow, from a company's files, in plain Python.

Nothing here is shared with the models but the meaning that docs/time.md and the columns' descriptions give: what
became known at the moment or later is dropped first, and everything is worked out anew from what is left.
"""

import csv
import gzip
import hashlib
import io
import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from tests.proofs import from_files
from tests.proofs.from_files import Event, Line, Rates, cents, moment

WINDOWS = (1, 7, 30, 90)
SESSION_GAP = timedelta(minutes=30)
BOT_EVENTS, BOT_SECONDS = 60, 60
HALF_LIFE = 30
WEIGHTS = {"view": 1, "cart": 3, "order": 5}
PAIRED, PAIRED_IN_ORDER, PUBLISHED_PAIRS = 30, 100, 50
RFM_DAYS, RFM_ORDERS, RFM_REVENUE = (90, 30), (2, 5), (100, 500)


@dataclass
class Contact:
    """A CRM contact: its id, addresses and cards with since when each was known, and histories as (moment, value)."""

    id: str
    emails: list[tuple[datetime, str]]
    cards: list[tuple[datetime, str]]
    created: datetime
    updated: datetime
    merged: list[str]
    changes: dict[str, list[tuple[datetime, str]]]


@dataclass
class Response:
    """What somebody did with an e-mail."""

    email: str | None
    kind: str
    at: datetime


@dataclass
class Company:
    """A company's files, read once."""

    files: Path
    events: list[Event] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    orders: dict[str, tuple[str | None, str | None, datetime]] = field(default_factory=dict)

    @cached_property
    def accounts(self) -> list[tuple[str, str | None, datetime, str | None, datetime]]:
        """The shop's accounts: id, address, created, country, updated."""
        with sqlite3.connect(self.files / "shop.db") as connection:
            found = connection.execute(
                "select id, lower(trim(email)), created_at, country_code, updated_at from customers"
            )
            return [(str(i), e or None, moment(c), country, moment(u or c)) for i, e, c, country, u in found]

    @cached_property
    def contacts(self) -> list[Contact]:
        """The CRM's contacts in their last version."""
        found = []
        for line in (self.files / "api" / "contacts.jsonl").read_text().splitlines():
            sent = json.loads(line)
            properties, histories = sent["properties"], sent["propertiesWithHistory"]
            changes = {
                name: sorted((moment(entry["timestamp"]), entry["value"]) for entry in entries)
                for name, entries in histories.items()
            }
            created, updated = moment(properties["createdate"]), moment(properties["lastmodifieddate"])
            for name in ("email", "loyalty_id"):
                if name not in changes:
                    changes[name] = [(created, properties[name])] if properties.get(name) else []
            for name in ("lifecyclestage", "marketing_consent", "personalization_consent"):
                if name not in changes and properties.get(name):
                    changes[name] = [(updated, properties[name])]
            if properties.get("country"):
                changes["country"] = [(updated, properties["country"].strip().upper())]
            found.append(
                Contact(
                    sent["id"],
                    [(max(at, created), email.strip().lower()) for at, email in changes.pop("email")],
                    [(max(at, created), card.strip()) for at, card in changes.pop("loyalty_id")],
                    created,
                    updated,
                    [
                        each.strip()
                        for each in (properties.get("hs_merged_object_ids") or "").split(";")
                        if each.strip()
                    ],
                    changes,
                )
            )
        return found

    @cached_property
    def responses(self) -> list[Response]:
        """Campaign responses with the address they came from."""
        read = lambda name: [json.loads(line) for line in (self.files / "api" / name).read_text().splitlines()]  # noqa: E731
        metrics = {each["id"]: each["attributes"]["name"] for each in read("marketing_metrics.jsonl")}
        emails = {each["id"]: each["attributes"]["email"] for each in read("marketing_profiles.jsonl")}
        found = {}
        for each in read("marketing_events.jsonl"):
            linked = each["relationships"]
            email = (emails.get(linked["profile"]["data"]["id"]) or "").strip().lower() or None
            metric = metrics.get(linked["metric"]["data"]["id"], "")
            found[each["id"]] = Response(email, metric.split()[0].lower(), moment(each["attributes"]["datetime"]))
        return list(found.values())

    @cached_property
    def feeds(self) -> dict[date, dict[str, dict]]:
        """By day, what each listed product was: category, brand, price (the sale's while it lasts), availability."""
        feeds = {}
        for path in sorted((self.files / "catalog").iterdir()):
            day = date.fromisoformat(path.name[9:19])
            header, *records = csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode()), delimiter="\t")
            products = {}
            for record in records:
                if len(record) != len(header):
                    continue
                product = dict(zip(header, record, strict=True))
                start, _, end = product["sale_price_effective_date"].partition("/")
                on_sale = product["sale_price"] and start[:10] <= str(day) < end[:10]
                price = float((product["sale_price"] if on_sale else product["price"]).split()[0])
                category = product["product_type"].split(" > ")[0] or None
                is_in_stock = product["availability"].replace(" ", "_").lower() == "in_stock"
                products[product["id"]] = {
                    "category": category,
                    "brand": product["brand"] or None,
                    "price": price,
                    "in_stock": is_in_stock,
                }
            ranks: dict[str | None, list[float]] = defaultdict(list)
            for product in products.values():
                ranks[product["category"]].append(product["price"])
            for product in products.values():
                prices = ranks[product["category"]]
                below = sum(price < product["price"] for price in prices)
                product["rank"] = round(1_000_000 * below / (len(prices) - 1)) if len(prices) > 1 else 0
            feeds[day] = products
        return feeds

    @cached_property
    def rates(self) -> Rates:
        """The exchange rates."""
        return Rates(self.files)


def read(files: Path) -> Company:
    """Return a company's files, read."""
    readers = (from_files.shop_lines, from_files.marketplace_lines, from_files.store_lines)
    lines = [line for reader in readers for line in reader(files)]
    with sqlite3.connect(files / "shop.db") as connection:
        found = connection.execute("select id, customer_id, lower(trim(email)), created_at from orders where not test")
        orders = {str(i): (str(a) if a else None, e or None, moment(at)) for i, a, e, at in found}
    return Company(files, from_files.events(files), lines, orders)


class AsOf:
    """A company as it was known when the day `moment` began: who is who, what was theirs, and their features."""

    def __init__(self, company: Company, moment: datetime) -> None:
        """Drop what became known at `moment` or later."""
        self.company, self.moment = company, moment
        self.events = [e for e in company.events if e.known < moment and not e.is_bot]
        self.ordered = [line for line in company.lines if line.gross is not None and line.known < moment]
        self.lines = [line.left_at(moment) for line in self.ordered]
        self.contacts = {c.id: c for c in company.contacts if c.created < moment}
        self.bots = self.find_bots()

    # Who is who

    @cached_property
    def account_of_email(self) -> dict[str, tuple[datetime, str]]:
        """The account that an address belongs to, and since when."""
        found: dict[str, tuple[datetime, str]] = {}
        for account, email, created, _, _ in self.company.accounts:
            if email and created < self.moment:
                found[email] = min(found.get(email, (created, account)), (created, account))
        return found

    @cached_property
    def survivors(self) -> dict[str, list[tuple[datetime, str]]]:
        """The contacts that each was merged into, with when that was known, the last of them last."""
        direct = defaultdict(dict)
        for contact in self.contacts.values():
            if contact.updated < self.moment:
                for taken in contact.merged:
                    direct[taken][contact.id] = contact.updated
        found = {}
        for taken in direct:
            reached, edge = {}, [(at, into, 1) for into, at in direct[taken].items()]
            while edge:
                at, into, steps = edge.pop()
                if into != taken and steps <= 4:
                    known = (
                        (min(at, reached[into][0]), max(steps, reached[into][1])) if into in reached else (at, steps)
                    )
                    reached[into] = known
                    edge += [(max(at, later), further, steps + 1) for further, later in direct.get(into, {}).items()]
            found[taken] = [
                (at, into) for at, _, into in sorted((at, steps, into) for into, (at, steps) in reached.items())
            ]
        return found

    def account_of_contact(self, contact: Contact) -> tuple[datetime, str] | None:
        """Return the account with an address of a contact, the first that was known to have one, with since when."""
        owners = [
            (max(at, self.account_of_email[email][0]), self.account_of_email[email][1])
            for at, email in contact.emails
            if at < self.moment and email in self.account_of_email
        ]
        return min(owners, default=None)

    def customer_of_contact(self, contact: Contact) -> str:
        """Who a contact is: the account with its address, or whoever it was merged into, or itself."""
        if own := self.account_of_contact(contact):
            return own[1]
        if contact.id in self.survivors:
            last = self.contacts[self.survivors[contact.id][-1][1]]
            own = self.account_of_contact(last)
            return own[1] if own else f"crm-{last.id}"
        return f"crm-{contact.id}"

    @cached_property
    def contact_of_email(self) -> dict[str, Contact]:
        """The first contact with an address."""
        return self.first_with("emails")

    def customer_of_email(self, email: str) -> str:
        """Whose an address is."""
        if email in self.account_of_email:
            return self.account_of_email[email][1]
        if email in self.contact_of_email:
            return self.customer_of_contact(self.contact_of_email[email])
        return f"guest:{email}"

    @cached_property
    def contact_of_card(self) -> dict[str, Contact]:
        """The first contact with a card."""
        return self.first_with("cards")

    def first_with(self, name: str) -> dict[str, Contact]:
        """Return the contact that was the first to be known by each address or card."""
        given = [
            (at, c.id, value) for c in self.contacts.values() for at, value in getattr(c, name) if at < self.moment
        ]
        found: dict[str, Contact] = {}
        for _, contact, value in sorted(given):
            found.setdefault(value, self.contacts[contact])
        return found

    def customer_of_order(self, line: Line) -> str | None:
        """Whose the order of a line is."""
        kind, value = line.buyer or (None, None)
        if kind == "account":
            return value
        if kind == "email":
            return self.customer_of_email(value) if value else None
        if kind == "card":
            contact = self.contact_of_card.get(value)
            return self.customer_of_contact(contact) if contact else f"card-{value}"
        return None

    @cached_property
    def logins(self) -> dict[str, list[tuple[datetime, str, str]]]:
        """By device who showed themselves there, in order: an account, or who placed the order completed there."""
        found = defaultdict(list)
        for event in self.events:
            if event.device and event.user:
                found[event.device].append((event.at, event.id, event.user))
            elif event.device and event.name == "Order Completed" and event.order in self.company.orders:
                account, email, created = self.company.orders[event.order]
                if created < self.moment and (account or email):
                    found[event.device].append((event.at, event.id, account or self.customer_of_email(email)))
        return {device: sorted(entries) for device, entries in found.items()}

    def customer_of_event(self, event: Event) -> str | None:
        """Whose an event is: who is logged in, else the last on the device before it, else the first after it."""
        if event.user or event.device not in self.logins:
            return event.user
        entries = self.logins[event.device]
        before = [customer for at, _, customer in entries if at <= event.at]
        return before[-1] if before else entries[0][2]

    def find_bots(self) -> set[str]:
        """Return the devices with more events in a minute than a person makes."""
        by_device = defaultdict(list)
        for event in self.events:
            if event.device:
                by_device[event.device].append(event.at)
        limit = timedelta(seconds=BOT_SECONDS)
        return {
            device
            for device, times in by_device.items()
            if any(
                last - first < limit
                for first, last in zip(sorted(times), sorted(times)[BOT_EVENTS - 1 :], strict=False)
            )
        }

    @cached_property
    def history(self) -> dict[str, dict[str, list[tuple[datetime, datetime, str]]]]:
        """By customer and attribute what the CRM and the shop told: (from when it counts, when it was set, value)."""
        found: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
        for contact in self.contacts.values():
            for since, customer in self.customers_of_contact(contact):
                for name, changes in contact.changes.items():
                    for at, value in changes:
                        until = self.left_at(contact, customer)
                        if max(at, since) < self.moment and at < until:
                            found[customer][name].append((max(at, since), at, value))
        for account, _, _, country, updated in self.company.accounts:
            if country and updated < self.moment:
                found[account]["country"].append((updated, updated, country.strip().upper()))
        return {c: {n: sorted(v) for n, v in names.items()} for c, names in found.items()}

    def customers_of_contact(self, contact: Contact) -> list[tuple[datetime, str]]:
        """Return everybody that a contact has been, with since when."""
        never = datetime.max.replace(tzinfo=UTC)
        own_at, own = self.account_of_contact(contact) or (never, None)
        names = [
            (contact.created, contact),
            *((at, self.contacts[into]) for at, into in self.survivors.get(contact.id, [])),
        ]
        found = []
        for (since, named), until in zip(names, [at for at, _ in names[1:]] + [own_at], strict=True):
            until = min(until, own_at)
            account_at, account = (named is not contact and self.account_of_contact(named)) or (never, None)
            if since < min(until, account_at):
                found.append((since, f"crm-{named.id}"))
            if max(since, account_at) < until:
                found.append((max(since, account_at), account))
        if own:
            found.append((own_at, own))
        return found

    def left_at(self, contact: Contact, customer: str) -> datetime:
        """Return when a contact ceased to be a customer."""
        spans = self.customers_of_contact(contact)
        place = [name for _, name in spans].index(customer)
        return spans[place + 1][0] if place + 1 < len(spans) else datetime.max.replace(tzinfo=UTC)

    def told(self, customer: str, name: str, at: datetime) -> str | None:
        """Return what was last known of a customer before a moment."""
        values = [value for since, _, value in self.history.get(customer, {}).get(name, []) if since <= at]
        return values[-1] if values else None

    def customers(self) -> set[str]:
        """Return everybody of whom anything is known."""
        accounts = {account for account, _, created, _, _ in self.company.accounts if created < self.moment}
        contacts = {self.customer_of_contact(contact) for contact in self.contacts.values()}
        guests = {
            self.customer_of_email(email)
            for account, email, at in self.company.orders.values()
            if email and not account
        }
        return accounts | contacts | guests | set(self.lines_of) | set(self.events_of)

    # What was theirs

    @cached_property
    def events_of(self) -> dict[str, list[Event]]:
        """Each customer's events, without bots' and what they did not want to be used."""
        found = defaultdict(list)
        for event in self.events:
            customer = self.customer_of_event(event)
            is_usable = customer and event.device not in self.bots and event.is_personal
            if is_usable and (self.told(customer, "personalization_consent", event.at) or "").lower() != "false":
                found[customer].append(event)
        return found

    @cached_property
    def lines_of(self) -> dict[str, list[Line]]:
        """Each customer's order lines."""
        found = defaultdict(list)
        for line in self.lines:
            if customer := self.customer_of_order(line):
                found[customer].append(line)
        return found

    def stands(self, line: Line) -> bool:
        """Whether a line was not known to be cancelled."""
        return not (line.cancelled and max(line.cancelled, line.known) < self.moment)

    def age(self, at: datetime) -> int:
        """Return how many days before the moment's day it was: yesterday is 1."""
        return (self.moment.date() - at.date()).days

    def product_on(self, product: str | None, day: date) -> dict:
        """Return what the last feed up to a day says of a product; empty when it does not list it."""
        days = [each for each in self.company.feeds if each <= day and each <= self.moment.date()]
        return self.company.feeds[max(days)].get(product, {}) if days else {}

    # Features

    def session_starts(self, events: Iterable[Event]) -> list[datetime]:
        """Return when sessions begin: an event with none in the thirty minutes before it."""
        starts, last = [], None
        for at in sorted({e.at for e in events}):
            if last is None or at - last > SESSION_GAP:
                starts.append(at)
            last = at
        return starts

    def customer(self, customer: str) -> dict:
        """Return one row of customer_features, as far as it is worked out here."""
        events = [e for e in self.events_of.get(customer, []) if self.age(e.at) >= 1]
        starts, row = self.session_starts(events), {}
        for days in WINDOWS:
            recent = [from_files.KINDS.get(e.name) for e in events if self.age(e.at) <= days]
            row[f"views_{days}d"], row[f"carts_{days}d"] = recent.count("view"), recent.count("cart")
            row[f"sessions_{days}d"] = sum(self.age(at) <= days for at in starts)
        month = [e for e in events if self.age(e.at) <= 30]
        row["app_share_30d"] = share(sum(e.source == "mobile" for e in month), len(month))
        row["night_share_30d"] = share(sum(e.at.hour >= 22 or e.at.hour < 6 for e in month), len(month))
        carts = {e.at.date() for e in month if from_files.KINDS.get(e.name) == "cart"}
        ordered = {e.at.date() for e in month if e.name == "Order Completed"}
        row["cart_abandon_rate_30d"] = share(len(carts - ordered), len(carts))
        return row | self.orders(customer) | self.tastes(customer) | self.e_mails(customer) | self.segments(customer)

    def orders(self, customer: str) -> dict:
        """Return what was known of a customer's orders."""
        days_of, revenue, gross, discount = {}, Counter(), Counter(), Counter()
        units = returned = 0
        for line in self.lines_of.get(customer, []):
            age = self.age(line.at)
            if age < 1 or not self.stands(line):
                continue
            if line.units > 0:
                days_of[line.order] = line.at.date()
            rate, _ = self.company.rates.to_usd(line.currency, line.at)
            before, off = cents(line.gross, rate) or 0, cents(line.discount, rate) or 0
            gross[age], discount[age] = gross[age] + before, discount[age] + off
            units += line.units if age <= 90 else 0
            value = before - off
            for back, back_units, amount in line.back:
                if back < self.moment:
                    value -= cents(amount, rate) or 0
                    returned += back_units if age <= 90 else 0
            revenue[(age, line.order)] += value
        days = sorted(days_of.values())
        row = {
            "orders_lifetime": len(days),
            "revenue_lifetime": sum(revenue.values()) / 100,
            "recency_days": (self.moment.date() - days[-1]).days if days else None,
            "days_between_orders_avg": share((days[-1] - days[0]).days, len(days) - 1) if days else None,
            "return_rate_90d": share(returned, units),
            "discount_share_90d": share(
                sum(v for a, v in discount.items() if a <= 90), sum(v for a, v in gross.items() if a <= 90)
            ),
        }
        for window in WINDOWS:
            row[f"orders_{window}d"] = sum((self.moment.date() - day).days <= window for day in days)
            row[f"revenue_{window}d"] = sum(value for (age, _), value in revenue.items() if age <= window) / 100
        standing = sum(value for (age, order), value in revenue.items() if age <= 90 and order in days_of) / 100
        row["average_order_value_90d"] = share(standing, row["orders_90d"])
        return row

    def touched(self, customer: str) -> dict[str, dict[int, Counter]]:
        """Return by product and age in days what a customer did with it in the last 90 days."""
        found: dict[str, dict[int, Counter]] = defaultdict(lambda: defaultdict(Counter))
        for event in self.events_of.get(customer, []):
            kind = from_files.KINDS.get(event.name)
            if event.product and kind in ("view", "cart", "removal") and 1 <= self.age(event.at) <= 90:
                found[event.product][self.age(event.at)][kind] += 1
        standing = {
            (line.order, line.product, self.age(line.at))
            for line in self.lines_of.get(customer, [])
            if line.units > 0 and self.stands(line) and 1 <= self.age(line.at) <= 90
        }
        for _, product, age in standing:
            found[product][age]["order"] += 1
        return found

    def products(self, customer: str) -> dict[str, dict]:
        """Return a customer's rows of customer_product_features, by product."""
        rows = {}
        for product, days in self.touched(customer).items():
            row = {}
            for window in WINDOWS:
                for kind in ("view", "cart", "order"):
                    row[f"{kind}s_{window}d"] = sum(done[kind] for age, done in days.items() if age <= window)
            since = {
                kind: min((age for age, done in days.items() if done[kind]), default=None)
                for kind in ("view", "cart", "removal", "order")
            }
            row |= {f"days_since_{kind}": since[kind] for kind in ("view", "cart", "order")}
            last = since["cart"]
            row["in_cart"] = (
                last is not None
                and days[last]["cart"] > days[last]["removal"]
                and (since["removal"] is None or since["removal"] >= last)
                and (since["order"] is None or since["order"] > last)
            )
            rows[product] = row
        return rows

    def liking(self, days: dict[int, Counter]) -> float:
        """Return weighted and decayed affinity."""
        return (
            sum(
                WEIGHTS.get(kind, 0) * count * round(1_000_000 * 0.5 ** (age / HALF_LIFE))
                for age, done in days.items()
                for kind, count in done.items()
            )
            / 1_000_000
        )

    def categories(self, customer: str) -> dict[str, dict]:
        """Return a customer's rows of customer_category_features, by category."""
        found: dict[str, dict] = defaultdict(lambda: Counter(last=10**9))
        for product, days in self.touched(customer).items():
            if category := self.last_described(product, days, "category"):
                row = found[category]
                row["views"] += sum(done["view"] for done in days.values())
                row["orders"] += sum(done["order"] for done in days.values())
                row["last"] = min(row["last"], *days)
                row["affinity"] += self.liking(days)
        views, orders = (sum(row[name] for row in found.values()) for name in ("views", "orders"))
        return {
            category: {
                "view_share_90d": share(row["views"], views),
                "order_share_90d": share(row["orders"], orders),
                "days_since_last": row["last"],
                "affinity_decayed": row["affinity"],
            }
            for category, row in found.items()
        }

    def last_described(self, product: str, days: dict[int, Counter], name: str) -> str | None:
        """Return what the feed said of a product on the last of the days on which it said anything."""
        for age in sorted(days):
            if (value := self.product_on(product, self.moment.date() - timedelta(days=age)).get(name)) is not None:
                return value
        return None

    def tastes(self, customer: str) -> dict:
        """Return which categories and brands, and how dear."""
        views, liked, brands, ranks = Counter(), Counter(), Counter(), []
        for product, days in self.touched(customer).items():
            if category := self.last_described(product, days, "category"):
                views[category] += sum(done["view"] for done in days.values())
                liked[category] += self.liking(days)
            if brand := self.last_described(product, days, "brand"):
                brands[brand] += self.liking(days)
            for age, done in days.items():
                rank = self.product_on(product, self.moment.date() - timedelta(days=age)).get("rank")
                ranks += [rank] * done["view"] if rank is not None else []
        shares = [count / views.total() for count in views.values() if count]
        top = lambda liking: min((-round(v, 6), name) for name, v in liking.items() if v > 0)[1]  # noqa: E731
        return {
            "categories_90d": len(shares),
            "category_entropy_90d": -sum(p * math.log(p) for p in shares) if shares else None,
            "top_category_90d": top(liked) if any(liked.values()) else None,
            "top_brand_90d": top(brands) if any(brands.values()) else None,
            "price_percentile_avg_90d": share(sum(ranks) / 1_000_000, len(ranks)),
        }

    @cached_property
    def responses_of(self) -> dict[str, Counter]:
        """Each customer's responses to e-mails in the last 90 days, by kind."""
        found = defaultdict(Counter)
        for response in self.company.responses:
            if response.email and response.at < self.moment and 1 <= self.age(response.at) <= 90:
                found[self.customer_of_email(response.email)][response.kind] += 1
        return found

    def e_mails(self, customer: str) -> dict:
        """Return the rates of e-mails opened and clicked."""
        done = self.responses_of.get(customer, Counter())
        return {
            "email_open_rate_90d": share(done["opened"], done["received"]),
            "email_click_rate_90d": share(done["clicked"], done["received"]),
        }

    def segments(self, customer: str) -> dict:
        """Return what the CRM said of a customer."""
        before = self.moment - timedelta(microseconds=1)
        return {
            "lifecycle_stage": self.told(customer, "lifecyclestage", before),
            "country_code": self.told(customer, "country", before),
        }

    def product(self, product: str) -> dict:
        """Return one row of product_features, as far as it is worked out here."""
        row, happened = {}, self.events_on.get(product, [])
        for days in WINDOWS:
            recent = [kind for age, kind in happened if age <= days]
            row[f"views_{days}d"], row[f"carts_{days}d"] = recent.count("view"), recent.count("cart")
            orders = {
                line.order: line.buyer
                for line in self.lines_on.get(product, [])
                if line.units > 0 and self.stands(line) and 1 <= self.age(line.at) <= days
            }
            row[f"orders_{days}d"], row[f"buyers_{days}d"] = len(orders), len(set(filter(None, orders.values())))
        month = Counter(kind for age, kind in happened if age <= 30)
        web = {
            line.order
            for line in self.lines_on.get(product, [])
            if line.channel == "web_shop" and line.units > 0 and self.stands(line) and 1 <= self.age(line.at) <= 30
        }
        row["click_rate_30d"] = share(month["click"], month["shown"])
        row["view_to_cart_rate_30d"] = share(month["cart"], month["view"])
        row["cart_to_order_rate_30d"] = min(len(web) / month["cart"], 1) if month["cart"] else None
        buyers = Counter(buyer for buyer in orders.values() if buyer)
        row["repurchase_rate_90d"] = share(sum(n > 1 for n in buyers.values()), len(buyers))
        row["trend_ratio_7d_30d"] = share(row["views_7d"] / 7, row["views_30d"] / 30)
        return row

    @cached_property
    def events_on(self) -> dict[str, list[tuple[int, str]]]:
        """For each product what was done with it in the last 90 days: (age in days, what)."""
        found = defaultdict(list)
        for event in self.events:
            if event.device in self.bots or not event.is_analytic or not 1 <= self.age(event.at) <= 90:
                continue
            if event.product and from_files.KINDS.get(event.name) in ("view", "cart", "click"):
                found[event.product].append((self.age(event.at), from_files.KINDS[event.name]))
            for product in event.shown:
                found[product].append((self.age(event.at), "shown"))
        return found

    @cached_property
    def lines_on(self) -> dict[str, list[Line]]:
        """For each product the lines that hold it."""
        found = defaultdict(list)
        for line in self.lines:
            found[line.product].append(line)
        return found

    def pairs(self) -> dict[tuple[str, str, str], dict]:
        """Return the rows of product_pairs, by relation and both products."""
        found, holding, baskets = Counter(), Counter(), Counter()
        decayed = Counter()
        for relation_kind, age, sides in self.baskets():
            weight = round(1_000_000 * 0.5 ** (age / HALF_LIFE))
            baskets[relation_kind] += 1
            for side, products in sides.items():
                holding.update((side, product) for product in products)
            wanted = (
                [("order_order", "bought", "bought")]
                if relation_kind == "order"
                else [("view_view", "viewed", "viewed"), ("view_order", "viewed", "ordered")]
            )
            for relation, left, right in wanted:
                for one in sides.get(left, []):
                    for other in sides.get(right, []):
                        if one != other:
                            found[relation, one, other] += 1
                            decayed[relation, one, other] += weight
        ranked = defaultdict(list)
        for (relation, one, other), count in found.items():
            ranked[relation, one].append((-decayed[relation, one, other], -count, other))
        rows = {}
        sides = {
            "view_view": ("viewed", "viewed"),
            "view_order": ("viewed", "ordered"),
            "order_order": ("bought", "bought"),
        }
        for (relation, one), others in ranked.items():
            for rank, (weight, count, other) in enumerate(sorted(others)[:PUBLISHED_PAIRS], 1):
                left, right = sides[relation]
                each, both = holding[left, one], holding[right, other]
                total = baskets["order" if relation == "order_order" else "session"]
                rows[relation, one, other] = {
                    "pairs": -count,
                    "pairs_decayed": -weight / 1_000_000,
                    "rank": rank,
                    "cosine": -count / math.sqrt(each * both),
                    "lift": -count * total / (each * both),
                }
        return rows

    def baskets(self) -> Iterable[tuple[str, int, dict[str, list[str]]]]:
        """Yield what holds products together in the last 90 days: its kind, age in days, and the products by side."""
        lines_of_order = defaultdict(dict)
        # Ordered together they were, whatever was given back.
        for line in self.ordered:
            if line.units > 0 and line.product:
                lines_of_order[line.order].setdefault(line.product, line)
        on_device = defaultdict(list)
        for event in self.events:
            if event.device and event.device not in self.bots and event.is_analytic:
                on_device[event.device].append(event)
        for events in on_device.values():
            events.sort(key=lambda e: e.at)
            session: list[Event] = []
            for event in [*events, None]:
                if session and (event is None or event.at - session[-1].at > SESSION_GAP):
                    sides = self.session_sides(session, lines_of_order)
                    if any(sides.values()) and 1 <= self.age(session[0].at) <= 90:
                        yield "session", self.age(session[0].at), sides
                    session = []
                if event:
                    session.append(event)
        for order, products in lines_of_order.items():
            at = min(line.at for line in products.values())
            if 1 <= self.age(at) <= 90:
                drawn = sorted(products, key=lambda product: draw(order, product))
                yield "order", self.age(at), {"bought": drawn[:PAIRED_IN_ORDER]}

    def session_sides(self, session: list[Event], lines_of_order: dict) -> dict[str, list[str]]:
        """Return the products that a session viewed, and those that it ordered, the first so many of each."""
        viewed, ordered = {}, {}
        for event in session:
            if event.product and from_files.KINDS.get(event.name) == "view":
                viewed.setdefault(event.product, event.at)
            if event.name == "Order Completed":
                for product in lines_of_order.get(f"web_shop-{event.order}", {}):
                    ordered.setdefault(product, event.at)
        return {
            "viewed": sorted(viewed, key=lambda product: (viewed[product], product))[:PAIRED],
            "ordered": sorted(ordered, key=lambda product: (ordered[product], draw(session[0].device, product)))[
                :PAIRED_IN_ORDER
            ],
        }


def draw(basket: str, product: str) -> str:
    """Return what the products of a large basket are drawn by."""
    return hashlib.md5(f"{basket} {product}".encode()).hexdigest()


def share(part: float, whole: float) -> float | None:
    """Return part over whole; None when there is no whole."""
    return part / whole if whole else None
