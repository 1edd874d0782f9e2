"""Tills of the shops: one CSV a store and day.

Where: `SOURCES__STORE__URL`, a folder or bucket, at any depth (`<store_id>/YYYY-MM-DD.csv`), gzip or not.
Pages: none.
Cursor: none; the manifest knows each file, so a till that reports days late is not missed.
"""

from collections.abc import Iterator
from typing import Any

from load.landing import RECORD_WITH_FIELDS, Run
from load.readers.delimited import delimited
from load.readers.files import land_files

COLUMNS = (
    "transaction_id", "line_no", "store_id", "sold_at", "loyalty_id", "sku", "quantity", "unit_price", "currency",
    "is_return",
)  # fmt: skip
TABLES = {"transactions": RECORD_WITH_FIELDS}


def read(run: Run, url: str) -> Iterator[Any]:
    """Yield every new till line below `url` for raw_store.transactions."""
    return land_files(run, "transactions", url, delimited(",", COLUMNS))
