"""Makes the whole company: draws the world and what happens in it, and writes both down, with the truth beside."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sample import flaws
from sample.behaviour import ORDER, REFUND, Events, Sessions, make_events, make_sales, make_sessions
from sample.systems.api import write_api
from sample.systems.catalog import write_catalog
from sample.systems.events import Written, contexts, ordered_products, properties, write_events
from sample.systems.marketplace import write_marketplace
from sample.systems.shop import FIRST_ORDER, ShopOrders, make_shop_orders, write_shop
from sample.systems.store import write_stores
from sample.world import People, Products, Size, make_people, make_products, make_rates

MARKETPLACE_ORDERS = 0.6  # a customer
STORE_SALES = 0.7


def make_company(to: Path, size: Size) -> dict[str, int]:
    """Write the company of that size below `to`, which must be empty; return counts for a person to read."""
    people, products, rates = make_people(size), make_products(size), make_rates(size)
    sessions = make_sessions(size, people)
    events, shown, sales = make_events(size, people, products, sessions)
    shop = make_shop_orders(size, people, sales, rates)
    write_shop(to / "shop.db", size, people, products, shop)
    written, all_sessions = write_clickstream(to, size, people, products, sessions, events, shown, shop)
    spoiled = write_catalog(to / "catalog", size, products)
    marketplace = make_sales(size, people, products, "marketplace", round(size.customers * MARKETPLACE_ORDERS))
    spoiled_reports, reported = write_marketplace(to / "marketplace", size, people, products, marketplace, rates)
    tills = make_sales(size, people, products, "store", round(size.customers * STORE_SALES))
    spoiled_tills, repeated, sold = write_stores(to / "store", size, people, products, tills, rates)
    merged = write_api(to / "api", size, people, sales, rates)
    lines = [*shop_lines(size, products, shop), *reported, *sold]
    spoiled += [*spoiled_reports, *spoiled_tills]
    spoiled += [
        {"source": w.source, "file": w.file, "line": w.line, "reason": "event"} for w in written if w.is_spoiled
    ]
    write_truth(to / "truth", size, people, all_sessions, written, lines, spoiled, repeated, merged)
    return {
        "customers": size.customers,
        "products": len(products.sku),
        "days": size.days,
        "events": len(written),
        "orders": len(sales.person) + len(marketplace.person) + len(tills.person),
        "spoiled lines": len(spoiled),
    }


def write_clickstream(
    to: Path,
    size: Size,
    people: People,
    products: Products,
    sessions: Sessions,
    events: Events,
    shown: np.ndarray,
    shop: ShopOrders,
) -> tuple[list[Written], Sessions]:
    """Write the events of people and bots; return the truth about every line, and the sessions with their logins."""
    sessions.login = logged_in_at_checkout(sessions, events, shop)
    events, shown = with_refunds(size, events, shown, shop)
    bots, silent = flaws.bot_events(size, products, events, len(sessions.person))
    is_bot = np.arange(len(events.at) + len(bots.at)) >= len(events.at)
    shown = np.concatenate([shown, np.full((len(bots.at), shown.shape[1]), -1, dtype=shown.dtype)])
    events = Events(*(np.concatenate([getattr(events, n), getattr(bots, n)]) for n in Events.__dataclass_fields__))
    known = ~is_bot
    session = np.where(known, events.session, 0)
    person = np.where(known, sessions.person[session], -1)
    logged_in = known & (events.at - sessions.start[session] >= sessions.login[session])
    users = np.where(logged_in, people.account[person], 0)
    is_app = known & sessions.is_app[session]
    device = np.where(known, people.device[person] * 2 + is_app, 0)
    heads, bodies = contexts(size, people, sessions, silent)
    props = properties(size, products, events, shown, order_descriptions(products, shop), is_app)
    flawed = flaws.flaw_events(size, events, device)
    return write_events(to, size, events, flawed, heads, bodies, users, props, is_app, person, is_bot), sessions


def logged_in_at_checkout(sessions: Sessions, events: Events, shop: ShopOrders) -> np.ndarray:
    """Return from when each session is logged in, with everybody who orders on an account logged in by then."""
    login = sessions.login.copy()
    ordering = np.flatnonzero(events.kind == ORDER)
    on_account = ordering[shop.by_account[events.order[ordering]]]
    session = events.session[on_account]
    login[session] = np.minimum(login[session], (events.at[on_account] - sessions.start[session]).astype(np.int64) - 60)
    return login


def with_refunds(size: Size, events: Events, shown: np.ndarray, shop: ShopOrders) -> tuple[Events, np.ndarray]:
    """Return the events with one for each refunded line, in the session that ordered it."""
    session_of = np.zeros(len(shop.sales.person), dtype=np.int64)
    ordering = events.kind == ORDER
    session_of[events.order[ordering]] = events.session[ordering]
    back = np.flatnonzero(~np.isnan(shop.refunded_at))
    order = shop.sales.lines.order[back]
    none = np.zeros(len(back), dtype=np.int64)
    added = Events(session_of[order], shop.refunded_at[back], none + REFUND, none - 1, none, none, order)
    shown = np.concatenate([shown, np.full((len(back), shown.shape[1]), -1, dtype=shown.dtype)])
    return Events(
        *(np.concatenate([getattr(events, n), getattr(added, n)]) for n in Events.__dataclass_fields__)
    ), shown


def order_descriptions(products: Products, shop: ShopOrders) -> dict[int, tuple[str, str, str]]:
    """Return id, currency and products (JSON) of each order of the web shop, by its number."""
    lines = shop.sales.lines
    sku, quantity, price = products.sku[lines.product], lines.quantity, shop.price
    by_order = np.argsort(lines.order, kind="stable")
    ends = np.cumsum(np.bincount(lines.order, minlength=len(shop.sales.person))).tolist()
    described, start = {}, 0
    for order, end in enumerate(ends):
        here = by_order[start:end]
        bought = ordered_products(sku[here].tolist(), quantity[here].tolist(), price[here].tolist())
        described[order] = (str(FIRST_ORDER + order), str(shop.currency[order]), bought)
        start = end
    return described


def shop_lines(size: Size, products: Products, shop: ShopOrders) -> list[dict]:
    """Return the true lines of the web shop's orders."""
    lines, base = shop.sales.lines, int(size.start.astype("datetime64[s]").astype(np.int64))
    gross = np.round(shop.price * lines.quantity, 2)
    return [
        {
            "channel": "web_shop", "order_id": str(FIRST_ORDER + order), "line": i,
            "person_id": int(shop.sales.person[order]), "placed_at": base + int(shop.sales.at[order]),
            "currency": str(shop.currency[order]) if shop.has_currency[order] else None,
            "sku": str(products.sku[lines.product[i]]), "quantity": int(lines.quantity[i]), "gross": float(gross[i]),
            "discount": float(shop.discount[i]), "tax": None, "refunded": float(shop.refund_amount[i]),
            "is_cancelled": bool(~np.isnan(shop.cancelled_at[order])), "is_test": bool(shop.is_test[order]),
        }
        for i, order in enumerate(lines.order.tolist())
    ]  # fmt: skip


def write_truth(
    to: Path,
    size: Size,
    people: People,
    sessions: Sessions,
    written: list[Written],
    lines: list[dict],
    spoiled: list[dict],
    repeated: list[dict],
    merged: list[dict],
) -> None:
    """Write what is true as Parquet: persons, identities, events, order_lines, what is spoiled, repeated or merged."""
    to.mkdir(parents=True, exist_ok=True)
    base = size.start.astype("datetime64[us]").astype(np.int64)
    joined = people.joined < size.days
    persons = pa.table({
        "person_id": np.arange(size.customers),
        "shop_customer_id": [str(a) if a and j else None for a, j in zip(people.account.tolist(), joined, strict=True)],
        "crm_contact_id": [str(c) if c and j else None for c, j in zip(people.contact.tolist(), joined, strict=True)],
        "loyalty_id": [str(c) if c else None for c in people.loyalty.tolist()],
        "email": people.email.tolist(),
        "country": people.country.tolist(),
    })  # fmt: skip
    used = {(int(p), bool(a)) for p, a in zip(sessions.person.tolist(), sessions.is_app.tolist(), strict=True)}
    identities = [
        {"anonymous_id": f"app-{p:06d}" if app else f"web-{people.device[p]:06d}", "person_id": p}
        for p, app in sorted(used)
    ]
    columns = {name: [getattr(w, name) for w in written] for name in Written.__dataclass_fields__}
    happened = base + np.round(np.array(columns.pop("event_at")) * 1e6).astype(np.int64)
    events = pa.table({**columns, "event_at": pa.array(happened, pa.timestamp("us"))})
    pq.write_table(persons, to / "persons.parquet")
    pq.write_table(events, to / "events.parquet")
    for name, rows, empty in (
        ("identities", identities, {"anonymous_id": pa.string(), "person_id": pa.int64()}),
        ("order_lines", lines, {"channel": pa.string(), "order_id": pa.string()}),
        (
            "spoiled_lines",
            spoiled,
            {"source": pa.string(), "file": pa.string(), "line": pa.int64(), "reason": pa.string()},
        ),
        (
            "repeated_files",
            repeated,
            {"source": pa.string(), "file": pa.string(), "of": pa.string(), "lines": pa.int64()},
        ),
        ("merged_contacts", merged, {"crm_contact_id": pa.string(), "merged_contact_id": pa.string()}),
    ):
        table = pa.Table.from_pylist(rows) if rows else pa.schema(empty.items()).empty_table()
        pq.write_table(table, to / f"{name}.parquet")
    files = Counter((w.source, w.file) for w in written)
    totals = {
        "lines": sum(files.values()),
        "copies": sum(w.is_copy for w in written),
        "spoiled": sum(w.is_spoiled for w in written),
        "files": {f"{source}/{file}": count for (source, file), count in sorted(files.items())},
    }
    (to / "totals.json").write_text(json.dumps(totals, indent=1))
