"""The product feed in Google Merchant's format: a full TSV a day."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np

from sample import flaws
from sample.world import BRANDS, CATEGORIES, Products, Size

COLUMNS = [
    "id", "title", "description", "link", "image_link", "availability", "price", "sale_price",
    "sale_price_effective_date", "brand", "gtin", "condition", "google_product_category", "product_type",
    "item_group_id", "color", "size",
]  # fmt: skip
COLOURS = ["red", "blue", "green", "black", "white", ""]


def write_catalog(folder: Path, size: Size, products: Products) -> list[dict]:
    """Write `products_YYYY-MM-DD.tsv.gz` for every day; return the spoiled records: file, line, reason."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = size.random("feed flaws")
    fixed = [static_columns(products, p) for p in range(len(products.sku))]
    spoiled = []
    for day in range(size.days):
        date = str(size.start + day)
        rows, reasons = [], []
        for p in np.flatnonzero(products.listed[:, day]).tolist():
            row = daily_row(fixed[p], products, p, day, date, size)
            reason = None
            if rng.random() < flaws.BROKEN_FEED_LINES:
                reason = ("too few fields", "too many fields")[int(rng.integers(0, 2))]
                row = row[:6] if reason == "too few fields" else [*row, "surplus"]
            rows.append(row)
            reasons.append(reason)
        text, starts = delimited(COLUMNS, rows)
        name = f"products_{date}.tsv.gz"
        (folder / name).write_bytes(gzip.compress(text.encode(), compresslevel=1, mtime=0))
        spoiled += [
            {"source": "catalog", "file": name, "line": start, "reason": reason}
            for start, reason in zip(starts, reasons, strict=True)
            if reason
        ]
    return spoiled


def static_columns(products: Products, p: int) -> list[str]:
    """Return the columns that no day changes, in the order of the feed, with None where one does."""
    category, brand, sku = CATEGORIES[products.category[p]][0], BRANDS[products.brand[p]], products.sku[p]
    title = f"{brand} {category} {p + 1}"
    # Some descriptions have a line break, which a feed puts into quotes.
    description = f"{title}.\nIn a box." if p % 25 == 0 else f"{title}, by {brand}."
    link = f"https://shop.example.com/p/{sku}"
    colour = COLOURS[p % len(COLOURS)]
    return [
        sku, title, description, link, f"{link}.jpg", None, None, None, None, brand, f"{4_000_000_000_000 + p}", "new",
        category, f"{category} > {brand}", f"GROUP-{p // 3:05d}", colour, "",
    ]  # fmt: skip


def daily_row(fixed: list[str], products: Products, p: int, day: int, date: str, size: Size) -> list[str]:
    """Return a product's row of one day: its price, whether it is in stock, and its sale with the time that lasts."""
    sale = products.sale[p, day]
    row = fixed.copy()
    row[5] = "in_stock" if products.stocked[p, day] else "out_of_stock"
    row[6] = f"{products.price[p, day]:.2f} USD"
    on_sale = np.flatnonzero(~np.isnan(products.sale[p]))
    if np.isnan(sale):
        row[7], row[8] = "", ""
    else:
        start, end = size.start + int(on_sale[0]), size.start + int(on_sale[-1]) + 1
        row[7], row[8] = f"{sale:.2f} USD", f"{start}T00:00+00:00/{end}T00:00+00:00"
    return row


def delimited(header: list[str], rows: list[list[str]], delimiter: str = "\t") -> tuple[str, list[int]]:
    """Return a delimited file's text and the line that each row begins on, counted from 1."""
    out, starts, line = io.StringIO(), [], 2
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    for row in rows:
        starts.append(line)
        line += 1 + sum(str(value).count("\n") for value in row)
    return out.getvalue(), starts
