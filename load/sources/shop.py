"""Orders of the web shop: a database, with Shopify's names for its tables.

Where: `SOURCES__SHOP__CREDENTIALS`, a SQLAlchemy URL; `SOURCES__SHOP__SCHEMA` if its tables are not in the default one.
Pages: chunks of 50,000 rows.
Cursor: `updated_at` of customers and orders, less `SOURCES__SHOP__LAG_DAYS` (2) for transactions that commit late;
lines and refunds have none and follow their order, a refund also its own `created_at`. Rows are kept by version.
Deletions and what was committed later than the lag are found by a sweep of the keys, every run; `SOURCES__SHOP__SWEEP`
(true) says whether, `SOURCES__SHOP__MOST_DELETED` (0.5) what share of a table may go before it is taken for a mistake.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from load.landing import LANDING_COLUMNS, TIMESTAMP, Run
from load.readers.sweep import TOMBSTONES
from load.readers.tables import changed_since, engine_of, land_table, reflect, since

MONEY = pa.decimal128(18, 4)


def _table(**columns: pa.DataType) -> pa.Schema:
    columns["misfits"] = pa.string()
    return pa.schema([*(pa.field(name, kind) for name, kind in columns.items()), *LANDING_COLUMNS])


TABLES = {
    "customers": _table(
        id=pa.int64(), email=pa.string(), created_at=TIMESTAMP, updated_at=TIMESTAMP, first_name=pa.string(),
        last_name=pa.string(), phone=pa.string(), country_code=pa.string(), accepts_marketing=pa.bool_(),
    ),
    "orders": _table(
        id=pa.int64(), customer_id=pa.int64(), email=pa.string(), created_at=TIMESTAMP, processed_at=TIMESTAMP,
        updated_at=TIMESTAMP, cancelled_at=TIMESTAMP, financial_status=pa.string(), fulfillment_status=pa.string(),
        currency=pa.string(), subtotal_price=MONEY, total_discounts=MONEY, total_tax=MONEY, total_price=MONEY,
        source_name=pa.string(), test=pa.bool_(),
    ),
    "order_line": _table(
        id=pa.int64(), order_id=pa.int64(), product_id=pa.int64(), variant_id=pa.int64(), sku=pa.string(),
        quantity=pa.int64(), price=MONEY, total_discount=MONEY,
    ),
    "refund": _table(id=pa.int64(), order_id=pa.int64(), created_at=TIMESTAMP, processed_at=TIMESTAMP),
    "order_line_refund": _table(
        id=pa.int64(), refund_id=pa.int64(), order_line_id=pa.int64(), quantity=pa.int64(), subtotal=MONEY,
        total_tax=MONEY, restock_type=pa.string(),
    ),
    "tombstones": TOMBSTONES,
}  # fmt: skip
SOURCE_TABLES = [name for name in TABLES if name != "tombstones"]


def read(
    run: Run,
    credentials: str,
    schema: str = "",
    lag_days: int = 2,
    sweep: bool = True,
    most_deleted: float = 0.5,
) -> Iterator[Any]:
    """Yield every new row version for the tables of raw_shop. A table that is not there fails, the others land."""
    engine = engine_of(run.source, credentials)
    try:
        tables = reflect(run.source, engine, SOURCE_TABLES, schema or None)
        for name in SOURCE_TABLES:
            if name not in tables:
                run.fail(
                    f"shop: the database has no table or view {name}. "
                    "Create a view of that name, or set SOURCES__SHOP__SCHEMA."
                )
        changed = _changes(run, tables, lag_days)
        for name, table in tables.items():
            cursor = "updated_at" if name in ("customers", "orders") else None
            yield from land_table(
                run, engine, table, TABLES[name], changed.get(name), cursor, most_deleted if sweep else None
            )
    finally:
        engine.dispose()


def _changes(run: Run, tables: dict[str, sa.Table], lag_days: int) -> dict[str, sa.ColumnElement[bool] | None]:
    changed: dict[str, sa.ColumnElement[bool] | None] = {}
    if "customers" in tables:
        changed["customers"] = changed_since(tables["customers"], "updated_at", since(run, "customers", lag_days))
    from_day = since(run, "orders", lag_days)
    if "orders" not in tables or from_day is None:
        return changed
    changed["orders"] = changed_since(tables["orders"], "updated_at", from_day)
    if changed["orders"] is None:
        return changed
    orders = sa.select(tables["orders"].c.id).where(changed["orders"])
    if "order_line" in tables:
        changed["order_line"] = tables["order_line"].c.order_id.in_(orders)
    if "refund" in tables:
        follows = tables["refund"].c.order_id.in_(orders)
        recent = changed_since(tables["refund"], "created_at", from_day)
        changed["refund"] = follows if recent is None else sa.or_(follows, recent)
        if "order_line_refund" in tables:
            refunds = sa.select(tables["refund"].c.id).where(changed["refund"])
            changed["order_line_refund"] = tables["order_line_refund"].c.refund_id.in_(refunds)
    return changed
