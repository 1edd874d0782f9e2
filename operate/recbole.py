"""Hands a version of the training tables over as RecBole's atomic files (https://recbole.io/docs/user_guide/data/atomic_files.html)."""

from pathlib import Path

import duckdb

PARTS = {"train": "train", "validation": "valid", "test": "test"}
"""A split to the name that RecBole's `benchmark_filename` gives it."""
INTERACTIONS = """
select
    customer_id as "user_id:token",
    product_id as "item_id:token",
    cast(gain as double) as "rating:float",
    cast(label_order as double) as "label:float",
    epoch(asked_at) as "timestamp:float"
from read_parquet('{version}/training_examples/split={split}/*.parquet')
where gain > 0 order by all
"""
ITEMS = """
select
    product_id as "item_id:token",
    replace(coalesce(arg_max(product_category, feature_at), ''), chr(9), ' ') as "category:token",
    arg_max(product_price, feature_at) as "price:float"
from read_parquet('{version}/training_examples/split=train/*.parquet')
group by product_id order by all
"""
USERS = """
select
    customer_id as "user_id:token",
    coalesce(arg_max(customer_country_code, feature_at), '') as "country:token",
    coalesce(arg_max(customer_loyalty_tier, feature_at), '') as "tier:token"
from read_parquet('{version}/training_examples/split=train/*.parquet')
group by customer_id order by all
"""


def export(version: Path, to: Path) -> dict[str, int]:
    """Write `NAME.train.inter`, `.valid.inter`, `.test.inter`, `.item` and `.user` into a folder; return rows by file.

    NAME is the folder's. What is told of products and customers is what the train split knew last. Raises
    `FileExistsError` when the folder holds anything.
    """
    to.mkdir(parents=True, exist_ok=True)
    if any(to.iterdir()):
        raise FileExistsError(f"{to} is not empty: take another folder")
    queries = {f"{part}.inter": INTERACTIONS.format(version=version, split=split) for split, part in PARTS.items()}
    queries |= {"item": ITEMS.format(version=version), "user": USERS.format(version=version)}
    rows = {}
    for suffix, query in queries.items():
        file = to / f"{to.name}.{suffix}"
        (rows[file.name],) = duckdb.execute(
            f"copy ({query}) to '{file}' (delimiter '\t', header, quote '', escape '')"
        ).fetchone()
    return rows
