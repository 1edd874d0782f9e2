"""Odd sales, which the sample company does not make: lines numbered alike, a product listed twice, a large order."""

import csv
import gzip
import json
import sqlite3
from pathlib import Path

from tests.proofs.canaries import place_guest_order

PRODUCTS = 110  # of the large order: more than `pair_products_per_order`, and than the feeds of a small company have
TILL = """transaction_id,line_no,store_id,sold_at,loyalty_id,sku,quantity,unit_price,currency,is_return
T-ODD-1,1,STORE-LON,2026-06-20 09:00:00,,SKU-00001,1,10.00,GBP,false
T-ODD-1,1,STORE-LON,2026-06-20 09:00:00,,SKU-00002,2,20.00,GBP,false
T-ODD-1,1,STORE-LON,2026-06-20 09:00:00,,SKU-00002,2,20.00,GBP,false
T-ODD-1,1,STORE-LON,2026-06-20 09:00:00,,SKU-00003,-1,5.50,GBP,true
T-ODD-2,1,STORE-LON,2026-06-20 09:10:00,,SKU-00002,1,20.00,GBP,false
T-ODD-2,2,STORE-LON,2026-06-20 09:10:00,,SKU-00001,1,10.00,GBP,false
"""
"""A day of a till that does not count its lines: one says to the letter what another says."""


def plant(company: Path) -> None:
    """Write the odd sales into the files of a sample company."""
    (company / "store" / "STORE-LON" / "2026-06-20-odd.csv").write_text(TILL)
    plant_reports(company / "marketplace")
    plant_large_order(company)


def plant_reports(folder: Path) -> None:
    """List a product twice in an order, once more to the letter, first without prices and on another day with them."""
    for day, status, item, prices in [("20", "Pending", "Unshipped", ("", "")), ("22", "Shipped", "Shipped", (40, 20))]:
        file = folder / f"orders_2026-06-{day}.tsv"
        header = file.read_text().split("\n")[0].split("\t")
        with file.open("a", encoding="utf-8", newline="") as report:
            lines = csv.DictWriter(report, header, delimiter="\t", lineterminator="\n", restval="")
            for quantity, price in [(2, prices[0]), (1, prices[1]), (1, prices[1])]:
                lines.writerow({
                    "amazon-order-id": "999-0000000-0000001", "purchase-date": "2026-06-20T12:00:00+00:00",
                    "last-updated-date": f"2026-06-{day}T12:00:30+00:00", "order-status": status, "item-status": item,
                    "sku": "SKU-00001", "quantity": quantity, "currency": "USD", "item-price": price,
                    "ship-country": "US",
                })  # fmt: skip


def plant_large_order(company: Path) -> None:
    """A guest's order of more products than are paired, after some were viewed."""
    with sqlite3.connect(company / "shop.db") as connection:
        lines = [(f"SKU-{number:05d}", 1) for number in range(1, PRODUCTS + 1)]
        place_guest_order(connection, 980001, "buyer@wholesale.example.com", "2026-06-25 10:05:00", lines)
    connection.close()
    moments = [
        ("odd-view-1", "Product Viewed", "10:00", {"product_id": "SKU-00001"}),
        ("odd-view-2", "Product Viewed", "10:01", {"product_id": "SKU-00002"}),
        ("odd-order", "Order Completed", "10:05", {"order_id": "980001"}),
    ]
    folder = company / "web" / "2026-06-25"
    with gzip.open(folder / "odd.jsonl.gz", "wt") as file:
        for name, event, at, properties in moments:
            sent = {
                "messageId": name, "anonymousId": "odd-device", "type": "track", "event": event, "channel": "browser",
                "originalTimestamp": f"2026-06-25T{at}:00.000Z", "sentAt": f"2026-06-25T{at}:00.000Z",
                "receivedAt": f"2026-06-25T{at}:01.000Z", "properties": properties,
                "context": {"userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"},
            }  # fmt: skip
            file.write(json.dumps(sent) + "\n")
