"""Tills: a CSV a store and day, in the shop's own time."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from sample import flaws
from sample.behaviour import Sales
from sample.systems.catalog import delimited
from sample.systems.shop import local_prices
from sample.world import LAST_DAY, STORES, People, Products, Size

COLUMNS = [
    "transaction_id",
    "line_no",
    "store_id",
    "sold_at",
    "loyalty_id",
    "sku",
    "quantity",
    "unit_price",
    "currency",
    "is_return",
]


def write_stores(
    folder: Path, size: Size, people: People, products: Products, sales: Sales, rates: dict
) -> tuple[list[dict], list[dict], list[dict]]:
    """Write `<store>/YYYY-MM-DD.csv`; return the spoiled records, the true lines and the files that were sent twice.

    From the middle on the files have a column more. A till that was offline sends a sale with a later day's. A return
    is a line of its own, with a negative quantity.
    """
    rng, lines = size.random("till flaws"), sales.lines
    base = int(size.start.astype("datetime64[s]").astype(np.int64))
    names, countries = list(STORES), [country for country, _, _ in STORES.values()]
    of_person = [names[countries.index(c)] if c in countries else names[2] for c in people.country.tolist()]
    store = [of_person[p] for p in sales.person.tolist()]
    currency = np.array([STORES[s][1] for s in store], dtype=object)
    zones = {name: ZoneInfo(zone) for name, (_, _, zone) in STORES.items()}
    day = (sales.at[lines.order] // 86_400).astype(int)
    price = local_prices(size, rates, currency[lines.order], day, lines.price)
    returned = rng.random(len(price)) < flaws.RETURNED_LINES
    offline = size.random("offline tills")
    days_offline = offline.integers(1, 6, len(store)) * (offline.random(len(store)) < flaws.OFFLINE_SALES)
    files: dict[tuple[str, str], list[tuple[list[str], str | None]]] = defaultdict(list)
    truth, place = [], defaultdict(int)
    for i, order in enumerate(lines.order.tolist()):
        name = store[order]
        sold = datetime.fromtimestamp(base + int(sales.at[order]), UTC).astimezone(zones[name])
        place[order] += 1
        card = people.loyalty[sales.person[order]]
        units = -int(lines.quantity[i]) if returned[i] else int(lines.quantity[i])
        row = [
            f"T{order:07d}", str(place[order]), name, f"{sold:%Y-%m-%d %H:%M:%S}", str(card) if card else "",
            products.sku[lines.product[i]], str(units), f"{price[i]:.2f}", currency[order],
            str(bool(returned[i])).lower(),
        ]  # fmt: skip
        row, reason = spoiled_row(rng, row)
        if day[i] >= size.days * flaws.NEW_TILL_COLUMN_FROM:
            row.append(f"C{order % 7}")
        filed = sold.date() + timedelta(days=int(days_offline[order]))
        # What is still to be sent when history ends is in its own day's file.
        files[name, str(filed if filed <= LAST_DAY.item() else sold.date())].append((row, reason))
        amount = round(float(price[i]) * abs(units), 2)
        truth.append({
            "channel": "store", "order_id": f"{name}-T{order:07d}", "line": place[order],
            "person_id": int(sales.person[order]), "placed_at": base + int(sales.at[order]),
            "currency": currency[order],
            "sku": products.sku[lines.product[i]], "quantity": units, "gross": 0.0 if returned[i] else amount,
            "discount": 0.0, "tax": 0.0, "refunded": amount if returned[i] else 0.0, "is_cancelled": False,
            "is_test": False,
        })  # fmt: skip
    return (*write_files(folder, size, files, rng), truth)


def spoiled_row(rng: np.random.Generator, row: list[str]) -> tuple[list[str], str | None]:
    """Return a till's line, rarely with something wrong in it, and what that is."""
    if rng.random() >= flaws.BROKEN_TILL_LINES:
        return row, None
    reason = ("too few fields", "too many fields", "quantity in words", "negative price")[int(rng.integers(0, 4))]
    if reason == "too few fields":
        return row[:4], reason
    if reason == "too many fields":
        return [*row, "surplus", "surplus"], reason
    changed = row.copy()
    if reason == "quantity in words":
        changed[6] = "two"
    else:
        changed[7] = f"-{row[7]}"
    return changed, reason


def write_files(folder: Path, size: Size, files: dict, rng: np.random.Generator) -> tuple[list[dict], list[dict]]:
    """Write the files; return the spoiled records and the files that a till sent a second time under another name."""
    spoiled, repeated = [], []
    middle = str(size.start + int(np.ceil(size.days * flaws.NEW_TILL_COLUMN_FROM)))
    for (store, date), rows in sorted(files.items()):
        # A file has one header: the column is there when its first line has it.
        width = len(COLUMNS) + (date >= middle)
        header = [*COLUMNS, "cashier_id"] if width > len(COLUMNS) else COLUMNS
        fitted = [(row if "fields" in (reason or "") else [*row, ""][:width], reason) for row, reason in rows]
        text, starts = delimited(header, [row for row, _ in fitted], delimiter=",")
        name = f"{store}/{date}.csv"
        (folder / store).mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        if rng.random() < flaws.REPEATED_TILL_FILES:
            (folder / f"{store}/{date}-again.csv").write_text(text)
            repeated.append({"source": "store", "file": f"{store}/{date}-again.csv", "of": name, "lines": len(rows)})
        spoiled += [
            {"source": "store", "file": name, "line": start, "reason": reason}
            for start, (_, reason) in zip(starts, fitted, strict=True)
            if reason
        ]
    return spoiled, repeated
