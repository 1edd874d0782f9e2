"""Marketplace orders: Amazon's flat file of all orders by last update, TSV.

Where: `SOURCES__MARKETPLACE__URL`, a folder or bucket of report files, gzip or not.
Pages: none.
Cursor: none; the manifest knows each file. An order comes again in a later file when its status changes.
"""

from collections.abc import Iterator
from typing import Any

from load.landing import RECORD_WITH_FIELDS, Run
from load.readers.delimited import delimited
from load.readers.files import land_files

COLUMNS = (
    "amazon-order-id", "merchant-order-id", "purchase-date", "last-updated-date", "order-status", "sales-channel",
    "sku", "asin", "item-status", "quantity", "currency", "item-price", "item-tax", "item-promotion-discount",
    "ship-country",
)  # fmt: skip
TABLES = {"orders": RECORD_WITH_FIELDS}


def read(run: Run, url: str) -> Iterator[Any]:
    """Yield every new report line below `url` for raw_marketplace.orders.

    Source: SP-API, GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL; the report quotes nothing.
    """
    return land_files(run, "orders", url, delimited("\t", COLUMNS, quoted=False))
