"""The promise: take away all that became known at a moment or later, build again, and no feature before it moves."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Build

# By raw table: which records were known at `moment` (a timestamp in UTC) or later. Written from docs/time.md, on raw
# records alone, so that a mistake in a model is not repeated here.
KNOWN_SINCE = {
    "raw_web.events": "try_cast(try(payload ->> '$.receivedAt') as timestamptz) >= moment",
    "raw_mobile.events": "try_cast(try(payload ->> '$.receivedAt') as timestamptz) >= moment",
    "raw_crm.contacts": "try_cast(payload ->> '$.createdAt' as timestamptz) >= moment",
    "raw_marketing.events": "try_cast(payload ->> '$.attributes.datetime' as timestamptz) >= moment",
    "raw_shop.customers": "created_at >= moment",
    "raw_shop.orders": "created_at >= moment",
    "raw_shop.order_line": "order_id not in (select id from raw_shop.orders)",
    "raw_shop.refund": "created_at >= moment",
    "raw_shop.order_line_refund": "refund_id not in (select id from raw_shop.refund)",
    "raw_marketplace.orders": """try_cast(fields ->> '$."last-updated-date"' as timestamptz) >= moment""",
    "raw_catalog.products": "cast(regexp_extract(source_file, '[0-9]{4}-[0-9]{2}-[0-9]{2}') as timestamptz) >= moment",
    "raw_store.transactions": """
        (try_cast(regexp_extract(source_file, '[0-9]{4}-[0-9]{2}-[0-9]{2}') as timestamp) + interval 1 day)
        at time zone case split_part(source_file, '/', 1)
            when 'STORE-LON' then 'Europe/London' when 'STORE-BER' then 'Europe/Berlin'
            when 'STORE-NYC' then 'America/New_York' else 'Asia/Kolkata' end >= moment""",
    "raw_fx.rates": "(cast(source_key as timestamp) + interval 16 hour) at time zone 'Europe/Berlin' >= moment",
}
FEATURES = {"customer_features": "customer_id", "product_features": "product_id"}


def as_it_was(company: Build, folder: Path, moment: str) -> Build:
    """Return a copy of the company's warehouse as it would have been at `moment`, built anew from raw."""
    build = replace(company, folder=folder)
    shutil.copy(company.warehouse, build.warehouse)
    shutil.copytree(company.folder / "target", folder / "target", dirs_exist_ok=True)
    with duckdb.connect(str(build.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, condition in KNOWN_SINCE.items():
            gone = connection.execute(
                f"delete from {table} where {condition.replace('moment', f'timestamptz {moment!r}')}"
            ).fetchone()[0]
            assert gone > 0, f"nothing of {table} became known after {moment}: this would prove nothing"
        connection.execute(
            f"update raw_shop.orders set cancelled_at = null where cancelled_at >= timestamptz '{moment}'"
        )
    build.dbt("run", "--full-refresh")
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in ("core.fct_events", "core.fct_order_lines"):
            latest = connection.execute(f"select max(known_at) < timestamptz '{moment}' from {table}").fetchone()
            assert latest == (True,), f"{table} still holds what became known after {moment}"
    return build


def differences(then: Build, now: Build, table: str, key: str, moment: str) -> tuple[int, list[tuple]]:
    """Return how many values were compared, and the rows of `table` up to `moment` that differ between two builds."""
    with duckdb.connect(str(now.warehouse), read_only=True) as connection:
        connection.execute(f"attach '{then.warehouse}' as cut (read_only)")
        columns = [row[0] for row in connection.execute(f"describe features.{table}").fetchall()]
        both = f"""from features.{table} as now inner join cut.features.{table} as was using ({key}, feature_at)
            where feature_at <= timestamp '{moment}'"""
        (rows,) = connection.execute(f"select count(*) {both}").fetchone()
        apart = " or ".join(f'now."{name}" is distinct from was."{name}"' for name in columns)
        shown = ", ".join(f'now."{name}", was."{name}"' for name in columns)
        found = connection.execute(f"select {key}, feature_at, {shown} {both} and ({apart})").fetchall()
        return rows * len(columns), found


@pytest.mark.parametrize("moment", ["2026-06-12 00:00:00", "2026-06-25 00:00:00"])
def test_no_feature_moves_when_what_came_later_is_taken_away(
    company: Build, tmp_path: Path, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    then = as_it_was(company, tmp_path, f"{moment}+00")
    for table, key in FEATURES.items():
        values, found = differences(then, company, table, key, moment)
        with capsys.disabled():
            print(f"\n{table} up to {moment}: {values:,} values compared, {len(found)} rows differ")
        assert values > 5_000
        assert found == []
