"""The windows with Polars, tuned: `windows_polars.py INPUTS OUTPUTS`, folders of Parquet files.

Lazy, with the streaming engine; names of customers and products as categories; only what is compared.
"""

import sys
from pathlib import Path

import polars as pl
from windows import CUSTOMER_ORDERS, CUSTOMER_PRODUCTS, CUSTOMERS, PRODUCTS, SINCE, columns

IDS = pl.col("^(customer|product)_id$").cast(pl.Categorical)
AGE = (pl.col("feature_date") - pl.col("event_date")).dt.total_days().cast(pl.Int16).alias("age")
NEVER = pl.date(9999, 12, 31)


def sums(measures: dict[str, list[int]]) -> list[pl.Expr]:
    """Return the sums over windows of rows that have their age in days."""
    return [
        pl.col(measure).filter(pl.col("age") <= days).sum().cast(pl.Int64).alias(column)
        for measure, days, column in columns(measures)
    ]


def known_by(spine: pl.LazyFrame, tiles: pl.LazyFrame) -> pl.LazyFrame:
    """Return a customer's tiles of the 90 days before each day of features, as far as they were known then."""
    return (
        spine.join(tiles, on="customer_id")
        .filter((pl.col("known_date") < pl.col("feature_date")) & (pl.col("event_date") < pl.col("feature_date")))
        .with_columns(AGE)
        .filter(pl.col("age") <= 90)
    )


def counted(events: pl.LazyFrame, keys: list[str], **kinds: str) -> pl.LazyFrame:
    """Return how many events of each kind fall on each key."""
    change = pl.col("change") if "change" in events.collect_schema() else pl.lit(1, pl.Int64)
    return events.group_by(keys).agg(
        pl.when(pl.col("event_kind") == kind).then(change).otherwise(0).sum().alias(name)
        for name, kind in kinds.items()
    )


def customers(spine: pl.LazyFrame, events: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return views, carts and sessions of customers."""
    tiles = counted(events, ["customer_id", "event_date", "known_date"], views="view", carts="cart")
    both = pl.concat([tiles, sessions], how="diagonal")
    return known_by(spine, both).group_by("customer_id", "feature_date").agg(sums(CUSTOMERS))


def customer_orders(spine: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """Return orders and revenue of customers."""
    return known_by(spine, orders).group_by("customer_id", "feature_date").agg(sums(CUSTOMER_ORDERS))


def customer_products(spine: pl.LazyFrame, events: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """Return views, carts and orders of customers and products, and the days since the last of each."""
    keys = ["customer_id", "product_id", "event_date", "known_date"]
    seen = counted(events.filter(pl.col("product_id").is_not_null()), keys, views="view", carts="cart")
    bought = orders.group_by(keys).agg(pl.col("orders").sum())
    day = keys[:3]
    known = (
        pl.concat([seen, bought], how="diagonal")
        .group_by(keys)
        .agg(pl.col("views", "carts", "orders").sum())
        .sort(keys)
        .with_columns(
            pl.col("views", "carts", "orders").cum_sum().over(day),
            pl.col("known_date").shift(-1).over(day).fill_null(NEVER).alias("next_date"),
        )
        .filter((pl.col("views") > 0) | (pl.col("carts") > 0) | (pl.col("orders") > 0))
    )
    since = [pl.col("age").filter(pl.col(measure) > 0).min().alias(name) for measure, name in SINCE.items()]
    return (
        known_by(spine, known)
        .filter(pl.col("next_date") >= pl.col("feature_date"))
        .group_by("customer_id", "product_id", "feature_date")
        .agg(*sums(CUSTOMER_PRODUCTS), *since)
    )


def products(spine: pl.LazyFrame, events: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """Return the windows of products, every day: what was known at once by running sums, what came late by its own."""
    keys = ["product_id", "event_date", "known_date"]
    seen = counted(events, keys, views="view", carts="cart", clicks="click", impressions="impression")
    tiles = pl.concat([seen, orders], how="diagonal").group_by(keys).agg(pl.col(*PRODUCTS).sum())
    late = tiles.filter(pl.col("known_date") > pl.col("event_date"))
    wanted = columns(PRODUCTS)

    def moved(on: pl.Expr, sign: int, lengths: list[int]) -> list[pl.LazyFrame]:
        return [
            late.filter(pl.col("known_date") < pl.col("event_date").dt.offset_by(f"{length}d")).select(
                "product_id",
                (on if sign > 0 else pl.col("event_date").dt.offset_by(f"{length + 1}d")).alias("feature_date"),
                *(
                    (sign * pl.col(measure)).alias(f"late_{column}")
                    for measure, days, column in wanted
                    if days == length
                ),
            )
            for length in lengths
        ]

    next_day = pl.col("known_date").dt.offset_by("1d")
    moves = pl.concat([*moved(next_day, 1, [1, 7, 30, 90]), *moved(next_day, -1, [1, 7, 30, 90])], how="diagonal")
    late_days = moves.group_by("product_id", "feature_date").agg(pl.exclude("product_id", "feature_date").sum())
    on_time = tiles.filter(pl.col("known_date") == pl.col("event_date")).select(
        "product_id", pl.col("event_date").dt.offset_by("1d").alias("feature_date"), *PRODUCTS
    )
    return (
        spine.join(on_time, on=["product_id", "feature_date"], how="left")
        .join(late_days, on=["product_id", "feature_date"], how="left")
        .sort("product_id", "feature_date")
        .with_columns(pl.exclude("product_id", "feature_date").fill_null(0).cum_sum().over("product_id"))
        .select(
            "product_id",
            "feature_date",
            *(
                (
                    pl.col(measure)
                    - pl.col(measure).shift(days).over("product_id").fill_null(0)
                    + pl.col(f"late_{column}")
                ).alias(column)
                for measure, days, column in wanted
            ),
        )
    )


def main(inputs: Path, outputs: Path) -> None:
    """Make the four tables as Parquet files."""
    given = {file.stem: pl.scan_parquet(file).with_columns(IDS) for file in inputs.glob("*.parquet")}
    spine, events = given["customer_spine"], given["events"]
    outputs.mkdir(exist_ok=True)
    tables = {
        "customers": customers(spine, events, given["sessions"]),
        "customer_orders": customer_orders(spine, given["customer_orders"]),
        "customer_products": customer_products(spine, events, given["customer_product_orders"]),
        "products": products(given["product_spine"], given["product_events"], given["product_orders"]),
    }
    for name, table in tables.items():
        table.sink_parquet(outputs / f"{name}.parquet")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
