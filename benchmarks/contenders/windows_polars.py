"""The windows with Polars, tuned: `windows_polars.py INPUTS OUTPUTS`, folders of Parquet files.

Lazy, with the streaming engine; names of customers, products and the like as categories. All columns that the models
make.
"""

import sys
from pathlib import Path

import polars as pl
from windows import (
    CUSTOMER_ORDERS,
    CUSTOMER_PRODUCTS,
    CUSTOMERS,
    DAYS,
    EMAILS,
    HALF_LIFE,
    LIKING,
    PRODUCTS,
    SINCE,
    columns,
)

CATEGORIES = ["customer_id", "product_id", "device_id", "event_kind", "source", "sales_channel", "category", "brand"]
# Sorted by number: which comes first does not matter, and names cost more.
CUSTOMER, PRODUCT = pl.col("customer_id").to_physical(), pl.col("product_id").to_physical()
AGE = (pl.col("feature_date") - pl.col("event_date")).dt.total_days().cast(pl.Int16).alias("age")
KNOWN = pl.col("known_date") < pl.col("feature_date")
REVENUE = (pl.col("gross_minor") - pl.col("discount_minor") - pl.col("refund_minor")).alias("revenue_minor")


def sums(measures: dict[str, list[int]]) -> list[pl.Expr]:
    """Return the sums over windows of rows that have their age in days."""
    return [
        pl.when(pl.col("age") <= days).then(measure).otherwise(0).sum().cast(pl.Int64).alias(column)
        for measure, days, column in columns(measures)
    ]


def of_kind(kind: str) -> pl.Expr:
    """Return what an event counts if it is of a kind."""
    return pl.when(pl.col("event_kind") == kind).then("change").otherwise(0)


def first_of(*keys: str) -> pl.Expr:
    """Return whether a row is the first with its keys, of rows sorted by them."""
    return pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift(1)) for key in keys)


def so_far(*measures: str) -> list[pl.Expr]:
    """Return running sums that begin anew where `first` says so, without groups."""
    sums = [(pl.col(measure), pl.col(measure).cum_sum()) for measure in measures]
    return [total - pl.when("first").then(total - of).forward_fill() for of, total in sums]


def versions(tiles: pl.LazyFrame, day: list[str], measures: list[str]) -> pl.LazyFrame:
    """Return what each day came to, from the day that became known until something else did."""
    return (
        tiles.group_by(*day, "known_date")
        .agg(pl.col(measures).sum())
        .sort(CUSTOMER, *([PRODUCT] if "product_id" in day else []), "event_date", "known_date")
        .with_columns(first_of(*day).alias("first"))
        .with_columns(
            *so_far(*measures),
            pl.when(~pl.col("first").shift(-1, fill_value=True))
            .then(pl.col("known_date").shift(-1))
            .alias("next_date"),
        )
        .drop("first")
    )


def days_known(spine: pl.LazyFrame, days: pl.LazyFrame) -> pl.LazyFrame:
    """Return a customer's days of the 90 before each day of features, as they were known when it began."""
    return (
        spine.join(days, on="customer_id")
        .filter(KNOWN & (pl.col("next_date").is_null() | (pl.col("next_date") >= pl.col("feature_date"))))
        .filter(pl.col("event_date") < pl.col("feature_date"))
        .with_columns(AGE)
        .filter(pl.col("age") <= 90)
    )


def customers(spine: pl.LazyFrame, events: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return events and sessions of customers."""
    night = ~pl.col("event_at").dt.hour().is_between(6, 21)
    tiles = events.group_by("customer_id", "event_date", "known_date").agg(
        of_kind("view").sum().alias("views"),
        of_kind("cart").sum().alias("carts"),
        of_kind("order").sum().alias("order_events"),
        pl.col("change").sum().alias("events"),
        pl.when(pl.col("source") == "mobile").then("change").otherwise(0).sum().alias("app_events"),
        pl.when(night).then("change").otherwise(0).sum().alias("night_events"),
    )
    both = pl.concat([tiles, sessions], how="diagonal")
    days = versions(both, ["customer_id", "event_date"], [*CUSTOMERS, "order_events"])
    with_cart = (pl.col("age") <= 30) & (pl.col("carts") > 0)
    return (
        days_known(spine, days)
        .group_by("customer_id", "feature_date")
        .agg(
            *sums(CUSTOMERS),
            with_cart.sum().cast(pl.Int64).alias("cart_days_30d"),
            (with_cart & (pl.col("order_events") <= 0)).sum().cast(pl.Int64).alias("abandoned_days_30d"),
        )
        .with_columns(pl.lit(0, pl.Int64).alias(name) for name in EMAILS)
    )


def customer_orders(spine: pl.LazyFrame, changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return orders and revenue of customers."""
    orders = (
        spine.join(changes.with_columns(REVENUE), on="customer_id")
        .filter(KNOWN & (pl.col("event_date") < pl.col("feature_date")))
        .group_by("customer_id", "feature_date", "order_id")
        .agg(pl.col("event_date").min(), pl.col(*CUSTOMER_ORDERS).sum())
        .with_columns(AGE)
    )
    stands = pl.col("orders") > 0
    return orders.group_by("customer_id", "feature_date").agg(
        *sums(CUSTOMER_ORDERS),
        pl.when(stands & (pl.col("age") <= 90)).then("revenue_minor").otherwise(0).sum().alias("ordered_minor_90d"),
        pl.col("orders").sum().alias("orders_lifetime"),
        pl.col("revenue_minor").sum().alias("revenue_minor_lifetime"),
        pl.when(stands).then("event_date").min().alias("first_order_date"),
        pl.when(stands).then("event_date").max().alias("last_order_date"),
    )


def standing(changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return when a customer's order of a product began to stand (1) and ceased to (-1)."""
    order = ["customer_id", "product_id", "order_id"]
    stands = (pl.col("units").cum_sum().over(order) > 0).cast(pl.Int64)
    return (
        changes.filter(pl.col("product_id").is_not_null())
        .group_by(*order, "event_date", "known_date")
        .agg(pl.col("units").sum())
        .sort(*order, "known_date")
        .with_columns(stands.alias("stands"))
        .with_columns((pl.col("stands") - pl.col("stands").shift(1).over(order).fill_null(0)).alias("orders"))
        .select("customer_id", "product_id", "event_date", "known_date", "orders")
    )


def customer_products(
    spine: pl.LazyFrame, events: pl.LazyFrame, changes: pl.LazyFrame, catalog: pl.LazyFrame
) -> pl.LazyFrame:
    """Return views, carts and orders of customers and products, the days since the last of each, and the feed's."""
    day = ["customer_id", "product_id", "event_date"]
    kinds = {"views": "view", "carts": "cart", "removals": "cart_removal"}
    seen = (
        events.filter(pl.col("product_id").is_not_null() & pl.col("event_kind").is_in(list(kinds.values())))
        .group_by(*day, "known_date")
        .agg(of_kind(kind).sum().alias(name) for name, kind in kinds.items())
    )
    feed = catalog.rename({"listed_date": "event_date"})
    liking = pl.sum_horizontal(weight * pl.col(measure) for measure, weight in LIKING.items())
    weight = (1_000_000 * pl.lit(0.5).pow(pl.col("age") / HALF_LIFE)).round().cast(pl.Int64)
    days = (
        versions(pl.concat([seen, standing(changes)], how="diagonal"), day, list(SINCE))
        .filter(pl.any_horizontal(pl.col(*SINCE) > 0))
        .join(feed, on=["product_id", "event_date"], how="left")
        .with_columns(liking.alias("liking"), (pl.col("views") * pl.col("price_rank")).alias("ranked"))
    )

    def aged(condition: pl.Expr) -> pl.Expr:
        return pl.when(condition).then("age")

    return (
        days_known(spine, days)
        .with_columns((pl.col("liking") * weight).alias("liking"))
        .group_by("customer_id", "product_id", "feature_date")
        .agg(
            *sums(CUSTOMER_PRODUCTS),
            *(aged(pl.col(measure) > 0).min().alias(name) for measure, name in SINCE.items()),
            pl.col("age").min().alias("days_since_last"),
            (pl.col("carts") - pl.col("removals")).min_by(aged(pl.col("carts") > 0)).alias("left_in_cart"),
            *(pl.col(name).min_by(aged(pl.col(name).is_not_null())) for name in ("category", "brand")),
            pl.when(pl.col("ranked").count() > 0).then(pl.col("ranked").sum()).alias("price_rank_sum"),
            pl.when(pl.col("price_rank").is_not_null()).then("views").otherwise(0).sum().alias("ranked_views"),
            pl.col("liking").sum().alias("affinity_micro"),
        )
    )


def products(
    spine: pl.LazyFrame, events: pl.LazyFrame, impressions: pl.LazyFrame, orders: pl.LazyFrame, bots: pl.LazyFrame
) -> pl.LazyFrame:
    """Return the windows of products, every day: what was known at once by running sums, what came late by its own."""
    keys = ["product_id", "event_date", "known_date"]
    usable = pl.col("product_id").is_not_null() & pl.col("allows_analytics") & ~pl.col("is_declared_bot")
    kinds = {"views": "view", "carts": "cart", "clicks": "click"}
    people = [frame.filter(usable).join(bots, on="device_id", how="anti") for frame in (events, impressions)]
    seen = [
        people[0]
        .filter(pl.col("event_kind").is_in(list(kinds.values())))
        .group_by(keys)
        .agg((pl.col("event_kind") == kind).sum().cast(pl.Int64).alias(name) for name, kind in kinds.items()),
        people[1].group_by(keys).agg(pl.len().cast(pl.Int64).alias("impressions")),
        orders.with_columns(
            REVENUE, pl.when(pl.col("sales_channel") == "web_shop").then("orders").otherwise(0).alias("web_orders")
        ).select(*keys, "orders", "web_orders", "units", "returned_units", "revenue_minor"),
    ]
    # Collected, as each use takes other columns and would make them anew.
    tiles = (
        pl.concat(seen, how="diagonal").group_by(keys).agg(pl.col(*PRODUCTS).sum()).collect(engine="streaming").lazy()
    )
    late = tiles.filter(pl.col("known_date") > pl.col("event_date"))
    wanted = columns(PRODUCTS)

    def moved(sign: int, length: int) -> pl.LazyFrame:
        on = (
            pl.col("known_date").dt.offset_by("1d") if sign > 0 else pl.col("event_date").dt.offset_by(f"{length + 1}d")
        )
        return late.filter(pl.col("known_date") < pl.col("event_date").dt.offset_by(f"{length}d")).select(
            "product_id",
            on.alias("feature_date"),
            *((sign * pl.col(measure)).alias(f"late_{column}") for measure, days, column in wanted if days == length),
        )

    names = [f"late_{column}" for _, _, column in wanted]
    late_days = (
        pl.concat([moved(sign, length) for sign in (1, -1) for length in DAYS], how="diagonal")
        .group_by("product_id", "feature_date")
        .agg(pl.col(names).sum())
        .sort(PRODUCT, "feature_date")
        .with_columns(first_of("product_id").alias("first"))
        .select("product_id", "feature_date", *so_far(*names))
    )
    on_time = tiles.filter(pl.col("known_date") == pl.col("event_date")).select(
        "product_id", pl.col("event_date").dt.offset_by("1d").alias("feature_date"), *PRODUCTS
    )

    def window(measure: str, days: int, column: str) -> pl.Expr:
        before = pl.when(pl.col("number") > days).then(pl.col(measure).shift(days)).otherwise(0)
        return (pl.col(measure) - before + pl.col(f"late_{column}").fill_null(0)).alias(column)

    return (
        spine.join(on_time, on=["product_id", "feature_date"], how="left")
        .sort(PRODUCT, "feature_date")
        .with_columns(first_of("product_id").alias("first"), pl.col(*PRODUCTS).fill_null(0), pl.lit(1).alias("number"))
        .with_columns(so_far(*PRODUCTS, "number"))
        .join_asof(late_days, on="feature_date", by="product_id", check_sortedness=False)
        .select("product_id", "feature_date", *(window(*column) for column in wanted))
    )


def main(inputs: Path, outputs: Path) -> None:
    """Make the four tables as Parquet files."""
    given = {}
    for file in inputs.glob("*.parquet"):
        frame = pl.scan_parquet(file)
        names = [name for name in frame.collect_schema() if name in CATEGORIES]
        given[file.stem] = frame.with_columns(pl.col(names).cast(pl.Categorical))
    spine, events = given["customer_spine"], given["events"]
    outputs.mkdir(exist_ok=True)
    tables = {
        "customers": customers(spine, events, given["sessions"]),
        "customer_orders": customer_orders(spine, given["customer_orders"]),
        "customer_products": customer_products(spine, events, given["order_changes"], given["catalog"]),
        "products": products(
            *(given[name] for name in ("product_spine", "product_events", "impressions", "product_orders", "bots"))
        ),
    }
    for name, table in tables.items():
        made = table.with_columns(pl.col("feature_date").cast(pl.Datetime("us")).alias("feature_at"))
        made.drop("feature_date").sink_parquet(outputs / f"{name}.parquet")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
