"""The windows with pandas, as an expert would: `windows_pandas.py INPUTS OUTPUTS`, folders of Parquet files.

Names and days as whole numbers, customers in portions so that joins fit into memory; only what is compared.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from windows import CUSTOMER_ORDERS, CUSTOMER_PRODUCTS, CUSTOMERS, PRODUCTS, SINCE, columns

PORTIONS = 8
NEVER = 1 << 20


def read(inputs: Path, name: str, ids: dict[str, pd.Index]) -> pd.DataFrame:
    """Return an input with ids as their place in `ids` and days as days since 1970."""
    frame = pd.read_parquet(inputs / f"{name}.parquet")
    for column in frame.columns:
        if column in ids:
            frame[column] = ids[column].get_indexer(frame[column]).astype("int32")
        elif column.endswith("_date"):
            frame[column] = frame[column].to_numpy("datetime64[D]").astype("int32")
    return frame


def counted(events: pd.DataFrame, keys: list[str], kinds: dict[str, str]) -> pd.DataFrame:
    """Return how many events of each kind fall on each key."""
    change = events.get("change", 1)
    made = {name: (events["event_kind"] == kind).to_numpy() * change for name, kind in kinds.items()}
    return events[keys].assign(**made).groupby(keys, as_index=False, sort=False).sum()


def windowed(known: pd.DataFrame, keys: list[str], measures: dict[str, list[int]]) -> pd.DataFrame:
    """Return the sums over windows of rows that have their age in days."""
    made = {column: known[measure].where(known["age"] <= days, 0) for measure, days, column in columns(measures)}
    return known[keys].assign(**made).groupby(keys, sort=False).sum()


def known_by(spine: pd.DataFrame, tiles: pd.DataFrame) -> pd.DataFrame:
    """Return a customer's tiles of the 90 days before each day of features, as far as they were known then."""
    joined = spine.merge(tiles, on="customer_id")
    joined["age"] = joined["feature_date"] - joined["event_date"]
    return joined[joined["age"].between(1, 90) & (joined["known_date"] < joined["feature_date"])]


def portions(*frames: pd.DataFrame) -> list[tuple[pd.DataFrame, ...]]:
    """Return the frames cut by customer."""
    return [tuple(frame[frame["customer_id"] % PORTIONS == number] for frame in frames) for number in range(PORTIONS)]


def customers(spine: pd.DataFrame, tiles: pd.DataFrame, measures: dict[str, list[int]]) -> pd.DataFrame:
    """Return the windows of customers."""
    keys = ["customer_id", "feature_date"]
    made = [windowed(known_by(*cut), keys, measures) for cut in portions(spine, tiles)]
    return pd.concat(made).reset_index()


def customer_products(spine: pd.DataFrame, events: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Return views, carts and orders of customers and products, and the days since the last of each."""
    keys = ["customer_id", "product_id", "event_date", "known_date"]
    day = keys[:3]
    measures = ["views", "carts", "orders"]
    seen = counted(events[events["product_id"] >= 0], keys, {"views": "view", "carts": "cart"})
    tiles = pd.concat([seen, orders[[*keys, "orders"]]]).groupby(keys, as_index=False).sum()
    tiles[measures] = tiles.groupby(day, sort=False)[measures].cumsum()
    same = (tiles[day] == tiles[day].shift(-1)).all(axis=1)
    tiles["next_date"] = tiles["known_date"].shift(-1).where(same, NEVER)
    tiles = tiles[(tiles[measures] > 0).any(axis=1)]
    by = ["customer_id", "product_id", "feature_date"]
    made = []
    for cut in portions(spine, tiles):
        known = known_by(*cut)
        known = known[known["next_date"] >= known["feature_date"]]
        sums = windowed(known, by, CUSTOMER_PRODUCTS)
        ages = {name: known["age"].where(known[measure] > 0) for measure, name in SINCE.items()}
        since = known[by].assign(**ages).groupby(by, sort=False).min()
        made.append(sums.join(since))
    return pd.concat(made).reset_index()


def products(spine: pd.DataFrame, events: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Return the windows of products, every day, by running sums of what enters and leaves them."""
    keys = ["product_id", "event_date", "known_date"]
    kinds = {"views": "view", "carts": "cart", "clicks": "click", "impressions": "impression"}
    tiles = pd.concat([counted(events, keys, kinds), orders]).fillna(0).groupby(keys, as_index=False, sort=False).sum()
    days = spine.sort_values(["product_id", "feature_date"], ignore_index=True)
    first = days.groupby("product_id")["feature_date"].transform("min")
    starts = pd.Series(days.index, days["product_id"])[lambda places: ~places.index.duplicated()]
    origin = starts.reindex(tiles["product_id"]).to_numpy() - first.to_numpy()[starts.reindex(tiles["product_id"])]
    begins = np.zeros(len(days), dtype=bool)
    begins[starts.to_numpy()] = True
    last = days.groupby("product_id")["feature_date"].max().reindex(tiles["product_id"]).to_numpy()
    for measure, length, column in columns(PRODUCTS):
        moves = np.zeros(len(days) + 1)
        known, event = tiles["known_date"].to_numpy(), tiles["event_date"].to_numpy()
        for on, sign in ((known + 1, 1), (np.maximum(known, event + length) + 1, -1)):
            inside = on <= last
            moves[:-1] += sign * np.bincount(
                (origin + on)[inside].astype("int64"), tiles[measure].to_numpy()[inside], minlength=len(days)
            )
        total = np.cumsum(moves[:-1])
        before = np.repeat((total - moves[:-1])[begins], np.diff(np.append(np.flatnonzero(begins), len(days))))
        days[column] = (total - before).astype("int64")
    return days


def main(inputs: Path, outputs: Path) -> None:
    """Make the four tables as Parquet files."""
    ids = {
        f"{kind}_id": pd.Index(
            pd.read_parquet(inputs / f"{kind}_spine.parquet", columns=[f"{kind}_id"])[f"{kind}_id"].unique()
        )
        for kind in ("customer", "product")
    }
    outputs.mkdir(exist_ok=True)

    def write(name: str, table: pd.DataFrame) -> None:
        for column, names in ids.items():
            if column in table:
                table[column] = names[table[column].to_numpy()]
        table["feature_date"] = table["feature_date"].to_numpy().astype("datetime64[D]").astype("datetime64[s]")
        table.to_parquet(outputs / f"{name}.parquet")

    spine, events = read(inputs, "customer_spine", ids), read(inputs, "events", ids)
    tiles = counted(events, ["customer_id", "event_date", "known_date"], {"views": "view", "carts": "cart"})
    tiles = pd.concat([tiles, read(inputs, "sessions", ids)]).fillna(0)
    write("customers", customers(spine, tiles, CUSTOMERS))
    write("customer_orders", customers(spine, read(inputs, "customer_orders", ids), CUSTOMER_ORDERS))
    write("customer_products", customer_products(spine, events, read(inputs, "customer_product_orders", ids)))
    del events, tiles
    product_inputs = (read(inputs, name, ids) for name in ("product_spine", "product_events", "product_orders"))
    write("products", products(*product_inputs))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
