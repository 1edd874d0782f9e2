"""Marketplace orders as Amazon's report of all orders by last update: a TSV a day."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from sample import flaws
from sample.behaviour import DAY, Sales
from sample.systems.shop import local_prices
from sample.world import People, Products, Size

COLUMNS = [
    "amazon-order-id", "merchant-order-id", "purchase-date", "last-updated-date", "order-status", "sales-channel",
    "sku", "asin", "item-status", "quantity", "currency", "item-price", "item-tax", "item-promotion-discount",
    "ship-country",
]  # fmt: skip
SITES = {
    "US": "Amazon.com",
    "GB": "Amazon.co.uk",
    "DE": "Amazon.de",
    "FR": "Amazon.fr",
    "IN": "Amazon.in",
    "JP": "Amazon.co.jp",
    "CA": "Amazon.ca",
}


def order_id(number: int) -> str:
    """Return the marketplace's id of an order."""
    return f"113-{number // 10**7:07d}-{number % 10**7:07d}"


def write_marketplace(
    folder: Path, size: Size, people: People, products: Products, sales: Sales, rates: dict
) -> tuple[list[dict], list[dict]]:
    """Write `orders_YYYY-MM-DD.tsv` for each day of an update; return the spoiled records and the true lines.

    An order is reported as Pending on its day, without a price, and as Shipped or Cancelled hours or days later. Of one
    that is shipped an item may be cancelled after that: the report goes on to show its price.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng, lines = size.random("marketplace flaws"), sales.lines
    n = len(sales.person)
    base = size.start.astype("datetime64[s]").astype(np.int64)
    settled = (sales.at + rng.uniform(3600, 3 * DAY, n)).astype(np.int64)
    cancelled, no_currency = rng.random(n) < flaws.CANCELLED_ORDERS, rng.random(n) < flaws.MISSING_CURRENCY
    owner = sales.person[lines.order]
    price = local_prices(size, rates, people.currency[owner], (sales.at[lines.order] // DAY).astype(int), lines.price)
    total = np.round(price * lines.quantity, 2)
    discount = np.where(rng.random(len(total)) < 0.1, np.round(total * 0.05, 2), 0.0)
    tax = np.round((total - discount) * 0.1, 2)
    # Never the first item, so that something of the order stands.
    items, is_other = size.random("cancelled items"), np.r_[False, np.diff(lines.order) == 0][: len(total)]
    removed_at = settled[lines.order] + items.uniform(3600, 5 * DAY, len(total)).astype(np.int64)
    removed = is_other & ~cancelled[lines.order] & (items.random(len(total)) < flaws.CANCELLED_ITEMS)
    removed &= removed_at < size.days * DAY
    files: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    truth = []

    def stamp(seconds: int) -> str:
        return f"{np.datetime_as_string(np.datetime64(int(base) + int(seconds), 's'))}+00:00"

    for i, order in enumerate(lines.order.tolist()):
        country = people.country[sales.person[order]]
        currency = "" if no_currency[order] else people.currency[sales.person[order]]
        states = [(int(sales.at[order]) + 30, "Pending", "", "", "")]
        if settled[order] < size.days * DAY:
            money = ("", "", "") if cancelled[order] else (f"{total[i]:.2f}", f"{tax[i]:.2f}", f"{discount[i]:.2f}")
            states.append((int(settled[order]), "Cancelled" if cancelled[order] else "Shipped", *money))
            if removed[i]:
                states.append((int(removed_at[i]), "Shipped", *money))
        for place, (at, status, item_price, item_tax, promotion) in enumerate(states):
            row = [
                order_id(order), f"M-{order}", stamp(sales.at[order]), stamp(at), status, SITES[country],
                products.sku[lines.product[i]], f"B{lines.product[i]:09d}",
                "Unshipped" if status == "Pending" else "Cancelled" if place == 2 else status,
                str(lines.quantity[i]), currency, item_price, item_tax, promotion, country,
            ]  # fmt: skip
            reason = None
            if rng.random() < flaws.BROKEN_REPORT_LINES:
                reason = ("too few fields", "too many fields")[int(rng.integers(0, 2))]
                row = row[:9] if reason == "too few fields" else [*row, "surplus"]
            files[stamp(at)[:10]].append(("\t".join(row), reason))
        settled_at, stands = len(states) > 1, int(not removed[i])
        truth.append({
            "channel": "marketplace", "order_id": order_id(order), "line": i, "person_id": int(sales.person[order]),
            "placed_at": base + int(sales.at[order]), "currency": currency or None,
            "sku": products.sku[lines.product[i]], "quantity": stands * int(lines.quantity[i]),
            "gross": stands * float(total[i]) if settled_at and not cancelled[order] else None,
            "discount": stands * float(discount[i]), "tax": stands * float(tax[i]), "refunded": 0.0,
            "is_cancelled": bool(settled_at and cancelled[order]), "is_test": False,
        })  # fmt: skip
    spoiled = []
    for day, rows in sorted(files.items()):
        name = f"orders_{day}.tsv"
        (folder / name).write_text("\n".join(["\t".join(COLUMNS), *(text for text, _ in rows)]) + "\n")
        spoiled += [
            {"source": "marketplace", "file": name, "line": line, "reason": reason}
            for line, (_, reason) in enumerate(rows, 2)
            if reason
        ]
    return spoiled, truth
