"""A company may lack any source: its tables are there and empty, and every model and test still holds."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb

from load.sources import SOURCES
from operate.proofs.proofs import BUT_VIEWS
from tests.conftest import Build

EMPTIED = {
    "web": "core.fct_events where source = 'web'",
    "mobile": "core.fct_events where source = 'mobile'",
    "shop": "core.fct_orders where sales_channel = 'web_shop'",
    "marketplace": "core.fct_orders where sales_channel = 'marketplace'",
    "store": "core.fct_orders where sales_channel = 'store'",
    "catalog": "core.dim_products where is_in_catalog",
    "crm": "core.dim_customers where crm_contact_id is not null",
    "marketing": "core.fct_campaign_responses",
    "fx": "core.fct_order_lines where source_currency <> 'USD' and net_amount is not null",
}

TWO = ["web", "shop"]
"""Two sources that are enough; the others are enough without them, too."""

TRAINING = ("path:models/intermediate/training", "path:models/marts/training")

BUILD = ("build", "--full-refresh", "--exclude-resource-type", "unit_test", *BUT_VIEWS)
"""The views of a copy stand beneath its marts, and show what is in its tables."""


def without(company: Build, folder: Path, sources: list[str]) -> Build:
    """Return a copy of the company's build whose raw tables of `sources` are empty."""
    build = replace(company, folder=folder)
    shutil.copy(company.warehouse, build.warehouse)
    with duckdb.connect(str(build.warehouse)) as connection:
        for source in sources:
            tables = connection.execute(
                "select table_name from information_schema.tables where table_schema = ?", [f"raw_{source}"]
            ).fetchall()
            for (table,) in tables:
                connection.execute(f"delete from raw_{source}.{table}")
    return build


def count(build: Build, rows: str) -> int:
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute(f"select count(*) from {rows}").fetchone()[0]


def test_every_source_has_something_to_miss(company: Build) -> None:
    assert set(EMPTIED) == set(SOURCES)
    assert [source for source, rows in EMPTIED.items() if count(company, rows) == 0] == []


def test_two_sources_can_be_done_without(company: Build, tmp_path: Path) -> None:
    build = without(company, tmp_path, TWO)
    # What does not read the sources is what it was. Training sets are built below, of two sources and of none.
    build.dbt(*BUILD, *TRAINING, "--select", *(f"source:raw_{source}+" for source in TWO))
    assert [source for source in TWO if count(build, EMPTIED[source]) > 0] == []
    assert count(build, "features.customer_features") > 0


def test_two_sources_are_enough(company: Build, tmp_path: Path) -> None:
    missing = sorted(set(SOURCES) - set(TWO))
    build = without(company, tmp_path, missing)
    build.dbt(*BUILD)
    assert [source for source in missing if count(build, EMPTIED[source]) > 0] == []
    assert count(build, "features.customer_features where views_30d > 0 and orders_lifetime > 0") > 0
    assert count(build, "features.product_features where views_30d > 0 and orders_30d > 0") > 0


def test_no_source_at_all_builds_empty_tables(company: Build, tmp_path: Path) -> None:
    build = without(company, tmp_path, list(SOURCES))
    build.dbt(*BUILD)
    assert count(build, "features.customer_features") == 0
