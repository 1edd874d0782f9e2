"""Makes the whole company: draws the world and what happens in it, and writes both down, with the truth beside."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from sample import flaws
from sample.behaviour import ORDER, REFUND, Events, Sessions, make_events, make_sales, make_sessions
from sample.systems.api import write_api
from sample.systems.catalog import write_catalog
from sample.systems.events import contexts, ordered_products, properties, write_events
from sample.systems.marketplace import write_marketplace
from sample.systems.shop import FIRST_ORDER, ShopOrders, make_shop_orders, write_shop
from sample.systems.store import write_stores
from sample.truth import Told, write_truth
from sample.world import People, Products, Size, make_people, make_products, make_rates

MARKETPLACE_ORDERS = 0.63  # a customer
STORE_SALES = 0.74


def make_company(to: Path, size: Size) -> dict[str, int]:
    """Write the company of that size below `to`, which must be empty; return counts for a person to read."""
    people, products, rates = make_people(size), make_products(size), make_rates(size)
    sessions = make_sessions(size, people)
    events, shown, sales = make_events(size, people, products, sessions)
    shop = make_shop_orders(size, people, sales, rates)
    write_shop(to / "shop.db", size, people, products, shop)
    told = shop_told(size, products, shop)
    stream, all_sessions = write_clickstream(to, size, people, products, sessions, events, shown, shop)
    told.add(stream_told(stream))
    told.add(write_catalog(to / "catalog", size, products))
    marketplace = make_sales(size, people, products, "marketplace", round(size.customers * MARKETPLACE_ORDERS))
    told.add(write_marketplace(to / "marketplace", size, people, products, marketplace, rates))
    tills = make_sales(size, people, products, "store", round(size.customers * STORE_SALES))
    told.add(write_stores(to / "store", size, people, products, tills, rates))
    told.add(write_api(to / "api", size, people, sales, rates))
    write_truth(to / "truth", size, people, all_sessions, stream, told)
    return {
        "customers": size.customers,
        "products": len(products.sku),
        "days": size.days,
        "events": stream.num_rows,
        "orders": len(sales.person) + len(marketplace.person) + len(tills.person),
        "spoiled lines": len(told.spoiled),
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
) -> tuple[pa.Table, Sessions]:
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
    flawed = flaws.flaw_events(size, events, device)
    ordered = order_descriptions(products, shop)
    props = properties(size, products, events, shown, ordered, is_app, flawed.is_unknown_product)
    return write_events(to, size, events, flawed, heads, bodies, users, props, is_app, person, is_bot), sessions


def stream_told(stream: pa.Table) -> Told:
    """Return what the truth about the clickstream tells of its files and of the lines that are spoiled."""
    counted = stream.group_by(["source", "file"]).aggregate([([], "count_all")]).to_pylist()
    spoiled = stream.filter(stream["is_spoiled"]).select(["source", "file", "line", "spoiled_how"])
    return Told(
        records=Counter({(row["source"], row["file"]): row["count_all"] for row in counted}),
        spoiled=spoiled.rename_columns(["source", "file", "line", "reason"]).to_pylist(),
    )


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


def shop_told(size: Size, products: Products, shop: ShopOrders) -> Told:
    """Return the true lines of the web shop's orders, and the tax of the orders."""
    lines, base = shop.sales.lines, int(size.start.astype("datetime64[s]").astype(np.int64))
    gross = np.round(shop.price * lines.quantity, 2)
    true_lines = [
        {
            "channel": "web_shop", "order_id": str(FIRST_ORDER + order), "line": i,
            "person_id": int(shop.sales.person[order]), "placed_at": base + int(shop.sales.at[order]),
            "currency": str(shop.currency[order]) if shop.has_currency[order] else None,
            "sku": str(products.sku[lines.product[i]]), "quantity": int(lines.quantity[i]), "gross": float(gross[i]),
            "discount": float(shop.discount[i]), "tax": None, "refunded": float(shop.refund_amount[i]),
            "is_cancelled": bool(~np.isnan(shop.cancelled_at[order])), "is_test": bool(shop.is_test[order]),
            "is_unknown_product": False,
        }
        for i, order in enumerate(lines.order.tolist())
    ]  # fmt: skip
    taxes = {str(number): tax for number, tax in enumerate(shop.tax.tolist(), FIRST_ORDER)}
    return Told(order_lines=true_lines, order_tax=taxes)
