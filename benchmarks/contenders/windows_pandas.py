"""The windows with pandas, as an expert would: `windows_pandas.py INPUTS OUTPUTS`, folders of Parquet files.

Names and days as whole numbers, what a customer did before a day looked up in sorted arrays, in portions that fit into
memory. All columns that the models make.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
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

IDS = ["customer_id", "product_id", "device_id"]
TEXT = ["event_kind", "source", "sales_channel", "category", "brand"]
PORTION = 1_000_000
NEVER = 1 << 20
DAY = ["event_date", "known_date"]


@dataclass
class Inputs:
    """The inputs, with names as their place in `names` (-1 for none) and days as days since 1970."""

    folder: Path
    names: dict[str, pd.Index] = field(default_factory=dict)

    def read(self, name: str) -> pd.DataFrame:
        """Return an input, text as categories."""
        table = pq.read_table(self.folder / f"{name}.parquet", read_dictionary=IDS + TEXT)
        for place, column in enumerate(table.column_names):
            if column.endswith("_date"):
                table = table.set_column(place, column, table[column].cast("int32"))
        frame = table.to_pandas()
        for column in frame.columns.intersection(IDS):
            frame[column] = self._numbered(column, frame[column].array)
        return frame

    def _numbered(self, column: str, values: pd.Categorical) -> np.ndarray:
        known = self.names.get(column, pd.Index([], dtype="str"))
        self.names[column] = known.append(values.categories.difference(known, sort=False))
        places = self.names[column].get_indexer(values.categories).astype("int32")
        return np.append(places, np.int32(-1))[values.codes]


def revenue(orders: pd.DataFrame) -> pd.Series:
    """Return what orders came to."""
    return orders["gross_minor"] - orders["discount_minor"] - orders["refund_minor"]


def versions(tiles: pd.DataFrame, day: list[str], measures: list[str]) -> pd.DataFrame:
    """Return what each day came to, from the day that became known until something else did."""
    tiles = tiles.groupby([*day, "known_date"], as_index=False)[measures].sum()
    values = tiles[day].to_numpy()
    same = np.append((values[1:] == values[:-1]).all(axis=1), False)
    tiles["next_date"] = np.where(same, np.append(tiles["known_date"].to_numpy()[1:], 0), NEVER).astype("int32")
    # Few days become known in parts.
    parts = same | np.append(False, same[:-1])
    tiles.loc[parts, measures] = tiles[parts].groupby(day, sort=False)[measures].cumsum()
    return tiles


def days_known(spine: pd.DataFrame, days: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Return, in portions, a customer's days of the 90 before each day of features, as known when it began.

    Their `row` is the one of the spine, the latest come first.
    """
    at = days["customer_id"].to_numpy("int64") * NEVER - days["event_date"].to_numpy()
    order = np.argsort(at)
    days, at = days.iloc[order].drop(columns="customer_id"), at[order]
    wanted = spine["customer_id"].to_numpy("int64") * NEVER - spine["feature_date"].to_numpy()
    first, end = np.searchsorted(at, wanted + 1), np.searchsorted(at, wanted + 90, side="right")
    number = (end - first).cumsum() // PORTION
    for rows in np.split(np.arange(len(spine)), np.flatnonzero(np.diff(number)) + 1):
        counts = end[rows] - first[rows]
        row = np.repeat(rows, counts)
        places = np.arange(len(row)) + np.repeat(first[rows] - counts.cumsum() + counts, counts)
        date = spine["feature_date"].to_numpy()[row]
        was = (days["known_date"].to_numpy()[places] < date) & (days["next_date"].to_numpy()[places] >= date)
        known = days.take(places[was]).drop(columns=["known_date", "next_date"])
        known["row"], known["age"] = row[was], date[was] - known.pop("event_date")
        yield known


def windows(known: pd.DataFrame, measures: dict[str, list[int]]) -> dict[str, pd.Series]:
    """Return what counts in each window of rows that have their age in days."""
    inside = {days: known["age"].to_numpy() <= days for days in DAYS}
    return {column: known[measure] * inside[days] for measure, days, column in columns(measures)}


def customers(spine: pd.DataFrame, events: pd.DataFrame, sessions: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Return events and sessions of customers."""
    change = events["change"]
    hour = events["event_at"].dt.hour
    tiles = events[["customer_id", *DAY]].assign(
        views=change.where(events["event_kind"] == "view", 0),
        carts=change.where(events["event_kind"] == "cart", 0),
        order_events=change.where(events["event_kind"] == "order", 0),
        events=change,
        app_events=change.where(events["source"] == "mobile", 0),
        night_events=change.where((hour < 6) | (hour > 21), 0),
    )
    measures = [*CUSTOMERS, "order_events"]
    tiles = pd.concat([tiles.groupby(["customer_id", *DAY], as_index=False, sort=False).sum(), sessions])
    tiles[measures] = tiles[measures].fillna(0).astype("int64")
    for known in days_known(spine, versions(tiles, ["customer_id", "event_date"], measures)):
        cart = (known["age"] <= 30) & (known["carts"] > 0)
        made = pd.DataFrame(windows(known, CUSTOMERS))
        made = made.assign(cart_days_30d=cart, abandoned_days_30d=cart & (known["order_events"] <= 0))
        made = made.groupby(known["row"], sort=False).sum()
        yield spine.loc[made.index].join(made.assign(**dict.fromkeys(EMAILS, 0)))


def customer_orders(spine: pd.DataFrame, changes: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Return orders and revenue of customers."""
    changes = changes.assign(revenue_minor=revenue(changes), order_id=pd.factorize(changes["order_id"])[0])
    known = spine.rename_axis("row").reset_index().merge(changes, on="customer_id")
    known = known[(known[DAY].max(axis=1) < known["feature_date"]).to_numpy()]
    orders = known.groupby(["row", "order_id"], as_index=False, sort=False).agg(
        {"feature_date": "first", "event_date": "min"} | dict.fromkeys(CUSTOMER_ORDERS, "sum")
    )
    orders["age"] = orders["feature_date"] - orders["event_date"]
    stands = orders["orders"] > 0
    made = pd.DataFrame(windows(orders, CUSTOMER_ORDERS)).assign(
        ordered_minor_90d=orders["revenue_minor"].where(stands & (orders["age"] <= 90), 0),
        orders_lifetime=orders["orders"],
        revenue_minor_lifetime=orders["revenue_minor"],
    )
    dates = (
        orders["event_date"].where(stands).groupby(orders["row"]).agg(["min", "max"]).apply(pd.to_datetime, unit="D")
    )
    made = made.groupby(orders["row"]).sum()
    made["first_order_date"], made["last_order_date"] = dates["min"], dates["max"]
    yield spine.loc[made.index].join(made)


def customer_products(
    spine: pd.DataFrame, events: pd.DataFrame, changes: pd.DataFrame, catalog: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """Return views, carts and orders of customers and products, the days since the last of each, and the feed's."""
    day = ["customer_id", "product_id", "event_date"]
    kinds = {"views": "view", "carts": "cart", "removals": "cart_removal"}
    events = events[(events["product_id"] >= 0) & events["event_kind"].isin(list(kinds.values()))]
    seen = {name: events["change"].where(events["event_kind"] == kind, 0) for name, kind in kinds.items()}
    order = ["customer_id", "product_id", "order_id"]
    changes = changes[changes["product_id"] >= 0]
    changes = changes.groupby([*order, *DAY], as_index=False)["units"].sum().sort_values([*order, "known_date"])
    stands = (changes.groupby(order, sort=False)["units"].cumsum() > 0).astype("int64")
    before = stands.groupby([changes[name] for name in order], sort=False).shift(fill_value=0)
    bought = changes[[*day, "known_date"]].assign(orders=stands - before)
    tiles = pd.concat([events[[*day, "known_date"]].assign(**seen), bought])
    tiles[list(SINCE)] = tiles[list(SINCE)].fillna(0).astype("int64")
    days = versions(tiles, day, list(SINCE))
    days = days[(days[list(SINCE)] > 0).any(axis=1)]
    feed = {name: catalog[name].cat.codes.astype("float64") for name in ("category", "brand")}
    feed = catalog[["product_id", "price_rank"]].assign(event_date=catalog["listed_date"], **feed)
    feed = feed.replace({"category": {-1: np.nan}, "brand": {-1: np.nan}})
    days = days.merge(feed, on=["product_id", "event_date"], how="left").assign(
        liking=lambda days: sum(days[measure] * weight for measure, weight in LIKING.items()),
        ranked=lambda days: days["views"] * days["price_rank"],
    )
    decay = np.round(1_000_000 * 0.5 ** (np.arange(91) / HALF_LIFE)).astype("int64")
    for known in days_known(spine, days):
        by = known["row"] * (1 << 32) + known["product_id"]
        of_day = {name: known["age"].where(known[measure] > 0) for measure, name in SINCE.items()}
        of_day["days_since_last"] = known["age"]
        of_day["left_in_cart"] = (known["carts"] - known["removals"]).where(known["carts"] > 0)
        of_day |= {"category": known["category"], "brand": known["brand"]}
        # The latest day comes first.
        last = pd.DataFrame(of_day).groupby(by, sort=False).first()
        ranked_views = known["views"].where(known["price_rank"].notna(), 0)
        summed = windows(known, CUSTOMER_PRODUCTS)
        summed |= {"ranked_views": ranked_views, "affinity_micro": known["liking"] * decay[known["age"]]}
        made = pd.DataFrame(summed).groupby(by, sort=False).sum().join(last)
        made["price_rank_sum"] = known["ranked"].groupby(by, sort=False).sum(min_count=1)
        for name in ("category", "brand"):
            codes = made[name].fillna(-1).astype("int32")
            made[name] = pd.Categorical.from_codes(codes, dtype=catalog[name].dtype)
        row, made["product_id"] = np.divmod(made.index.to_numpy(), 1 << 32)
        yield made.assign(**{name: spine[name].to_numpy()[row] for name in spine})


def products(inputs: Inputs) -> Iterator[pd.DataFrame]:
    """Return the windows of products, every day, by running sums of what enters and leaves them."""
    keys = ["product_id", *DAY]
    bots = inputs.read("bots")["device_id"]
    tiles = []
    for name in ("product_events", "impressions"):
        events = inputs.read(name)
        usable = (events["product_id"] >= 0) & events["allows_analytics"] & ~events["is_declared_bot"]
        events = events[usable & ~events["device_id"].isin(bots)]
        if name == "impressions":
            made = {"impressions": np.ones(len(events), dtype="int64")}
        else:
            kinds = {"views": "view", "carts": "cart", "clicks": "click"}
            events = events[events["event_kind"].isin(list(kinds.values()))]
            made = {measure: (events["event_kind"] == kind).astype("int64") for measure, kind in kinds.items()}
        tiles.append(events[keys].assign(**made).groupby(keys, as_index=False, sort=False).sum())
    orders = inputs.read("product_orders")
    web_orders = orders["orders"].where(orders["sales_channel"] == "web_shop", 0)
    tiles.append(orders[keys].assign(**{name: orders[name] for name in ("orders", "units", "returned_units")}))
    tiles[-1] = tiles[-1].assign(web_orders=web_orders, revenue_minor=revenue(orders))
    tiles = pd.concat(tiles).fillna(0).astype("int64").groupby(keys, as_index=False, sort=False).sum()
    days = inputs.read("product_spine").sort_values(["product_id", "feature_date"], ignore_index=True)
    begins = np.flatnonzero(np.diff(days["product_id"], prepend=-1))
    of = days.loc[begins].assign(place=begins, length=np.diff(np.append(begins, len(days)))).set_index("product_id")
    tiles = tiles.join(of, on="product_id", how="inner")
    known, event, first = (tiles[name].to_numpy() for name in ("known_date", "event_date", "feature_date"))
    for measure, length, column in columns(PRODUCTS):
        moves = np.zeros(len(days))
        for on, sign in ((known + 1, 1), (np.maximum(known, event + length) + 1, -1)):
            place = np.maximum(on - first, 0)
            inside = (place < tiles["length"]) & (tiles[measure] != 0)
            at, value = (place + tiles["place"])[inside], tiles[measure][inside]
            moves += sign * np.bincount(at, value, minlength=len(days))
        total = np.cumsum(moves)
        days[column] = (total - np.repeat((total - moves)[begins], of["length"])).astype("int64")
    yield days


def main(inputs: Path, outputs: Path) -> None:
    """Make the four tables as Parquet files."""
    given = Inputs(inputs)
    outputs.mkdir(exist_ok=True)

    def write(name: str, tables: Iterable[pd.DataFrame]) -> None:
        for number, table in enumerate(tables):
            for column in given.names.keys() & set(table.columns):
                table[column] = pd.Categorical.from_codes(table[column], given.names[column])
            table["feature_at"] = table.pop("feature_date").to_numpy().astype("datetime64[D]").astype("datetime64[s]")
            table.to_parquet(outputs / f"{name}-{number}.parquet", index=False)

    spine = given.read("customer_spine").sort_values(["customer_id", "feature_date"], ignore_index=True)
    write("customer_orders", customer_orders(spine, given.read("customer_orders")))
    events = given.read("events")
    write("customers", customers(spine, events, given.read("sessions")))
    changes, catalog = given.read("order_changes"), given.read("catalog")
    write("customer_products", customer_products(spine, events, changes, catalog))
    del events, changes, catalog
    write("products", products(given))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
