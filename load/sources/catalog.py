"""Products: the Google Merchant product feed, one full file a day.

Where: `SOURCES__CATALOG__URL`, a folder or bucket of TSV, CSV or XML files (told by the name), gzip or not.
Pages: none.
Cursor: none; the manifest knows each file. History comes from the daily files: every day's lines land.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from load.landing import RECORD_WITH_FIELDS, Run
from load.readers.delimited import delimited
from load.readers.feed import items
from load.readers.files import land_files

COLUMNS = (
    "id", "title", "description", "link", "image_link", "availability", "price", "sale_price",
    "sale_price_effective_date", "brand", "gtin", "condition", "google_product_category", "product_type",
    "item_group_id", "color", "size",
)  # fmt: skip
TABLES = {"products": RECORD_WITH_FIELDS}


def read(run: Run, url: str) -> Iterator[Any]:
    """Yield every new product record below `url` for raw_catalog.products. Source: Google Merchant product data."""
    return land_files(run, "products", url, _by_name)


def _by_name(pieces: Iterator[bytes], path: str) -> Iterator[pa.Table]:
    name = path.lower().removesuffix(".gz")
    if name.endswith(".xml"):
        return items(pieces, path)
    return delimited("," if name.endswith(".csv") else "\t", COLUMNS)(pieces, path)
