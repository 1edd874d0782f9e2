"""A record may say something else later: features count that from then on, and not a day earlier."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb

from operate.proofs.compare import compare
from operate.proofs.raw import complete_load
from tests.conftest import Build

FEATURES = "+path:models/marts/features"
KEYS = {
    "customer_features": ["customer_id"],
    "customer_product_features": ["customer_id", "product_id"],
    "customer_category_features": ["customer_id", "category"],
    "product_features": ["product_id"],
}


def copied(build: Build, folder: Path) -> Build:
    folder.mkdir()
    shutil.copy(build.warehouse, folder / "warehouse.duckdb")
    shutil.copytree(build.folder / "target", folder / "target")
    return replace(build, folder=folder)


def land_later_versions(connection: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    """On the last day, guests' orders are given to an account and people change their address to that account's.

    Returns the account and how many orders it was given.
    """
    connection.execute("set TimeZone = 'UTC'")
    account, email = connection.execute("select id, email from raw_shop.customers order by id limit 1").fetchone()
    bookkeeping = """
        content_hash || '2' as content_hash,
        (select max(landed_at) from raw_shop.orders) + interval 1 hour as landed_at,
        'later' as _dlt_load_id
    """
    given = connection.execute(f"""
        insert into raw_shop.orders
        select * replace (
            {account} as customer_id,
            (select date_trunc('day', max(created_at)) + interval 6 hour from raw_shop.orders) as updated_at,
            {bookkeeping}
        )
        from raw_shop.orders where customer_id is null and cancelled_at is null order by created_at limit 5
    """).fetchone()[0]
    connection.execute(f"""
        insert into raw_marketing.profiles
        select * replace (
            json_merge_patch(payload, '{{"attributes": {{"email": "{email}"}}}}') as payload, {bookkeeping}
        )
        from raw_marketing.profiles order by source_key limit 20
    """)
    for schema in ("raw_shop", "raw_marketing"):
        complete_load(connection, schema, "later")
    return str(account), given


def orders_of(build: Build, account: str) -> int:
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute(
            "select max_by(orders_lifetime, feature_at) from features.customer_features where customer_id = $account",
            {"account": account},
        ).fetchone()[0]


def test_what_a_later_version_says_counts_from_that_version_on(company: Build, tmp_path: Path) -> None:
    later = copied(company, tmp_path / "later")
    with duckdb.connect(str(later.warehouse)) as connection:
        account, given = land_later_versions(connection)
        (changed,) = connection.execute(
            "select max(date_trunc('day', created_at)) at time zone 'UTC' from raw_shop.orders"
        ).fetchone()
    assert given == 5
    at_once = copied(later, tmp_path / "at_once")
    later.dbt("run", "--select", FEATURES)
    at_once.dbt("run", "--full-refresh", "--select", FEATURES)
    for table, key in KEYS.items():
        feature = f"features.{table}", [*key, "feature_at"]
        before = compare(company.warehouse, later.warehouse, *feature, where=f"feature_at <= timestamp '{changed}'")
        assert before.rows > 300
        assert before.differing == 0, before.examples
        incremental = compare(later.warehouse, at_once.warehouse, *feature)
        assert incremental.differing == 0, incremental.examples
    assert orders_of(later, account) == orders_of(company, account) + given
