"""What comes after more days than a record may be late counts: of a pause, of a source connected later, a lost file."""

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from operate.proofs.compare import compare
from operate.proofs.proofs import FACTS, FEATURES
from operate.proofs.raw import cut, feature_tables, land_difference, raw_tables
from tests.conftest import Build
from tests.imported import MANIFEST
from tests.proofs.test_later_versions import copied
from tests.proofs.test_missing_sources import without

LATE_DAYS = 3
THREE_DAYS = ("--vars", f"{{late_days: {LATE_DAYS}}}", "--select")
KEYS = {
    "int_events__unioned": ["source", "event_id"],
    "int_feature_spine__products": ["product_id", "feature_date"],
}
SOME = (*THREE_DAYS, "+int_events__unioned", "int_feature_spine__last_day", "int_feature_spine__products")
"""Events and days of products. What else these are made of stands in a copy of the company."""
ALL = (*THREE_DAYS, FEATURES, *(f"+{name}" for name in FACTS), "late_records")


def test_a_run_after_a_pause_longer_than_late_days_leaves_no_day_out(company: Build, tmp_path: Path) -> None:
    tables = raw_tables(MANIFEST)
    paused = copied(company, tmp_path / "paused")
    with duckdb.connect(str(paused.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        (last,) = connection.execute("select max(known_at) from intermediate.int_events__unioned").fetchone()
        cut(connection, tables, datetime(last.year, last.month, 10))
    paused.dbt("run", "--full-refresh", *SOME)
    earlier = copied(paused, tmp_path / "earlier")
    with duckdb.connect(str(paused.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{company.warehouse}' as later (read_only)")
        connection.execute(f"attach '{earlier.warehouse}' as earlier (read_only)")
        assert land_difference(connection, tables, "later", "earlier", last) > 1000
    paused.dbt("run", *SOME)
    for table, key in KEYS.items():
        found = compare(company.warehouse, paused.warehouse, f"intermediate.{table}", key)
        assert found.rows > 500
        assert found.differing == 0, found.examples


def test_a_source_that_is_connected_later_is_built_from_its_first_day_on(company: Build, tmp_path: Path) -> None:
    build = without(company, tmp_path, ["mobile"])
    build.dbt("run", "--full-refresh", *SOME)
    with duckdb.connect(str(build.warehouse)) as connection:
        connection.execute(f"attach '{company.warehouse}' as connected (read_only)")
        for table in ("_dlt_loads", "manifest", "events"):
            connection.execute(f"insert into raw_mobile.{table} from connected.raw_mobile.{table}")
        (before,) = connection.execute("select count(*) from intermediate.int_events__unioned").fetchone()
    build.dbt("run", *SOME)
    for table, key in KEYS.items():
        found = compare(company.warehouse, build.warehouse, f"intermediate.{table}", key)
        assert found.differing == 0, found.examples
    assert found.rows > 500
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        (events,) = connection.execute("select count(*) from intermediate.int_events__unioned").fetchone()
    assert events > before + 1000


def test_a_day_that_comes_later_than_late_days_is_in_all_facts_and_in_every_row_from_then_on(
    company: Build, tmp_path: Path
) -> None:
    tables, build = raw_tables(MANIFEST), copied(company, tmp_path / "lost")
    with duckdb.connect(str(build.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        (newest,) = connection.execute("select max(happened_date) from intermediate.int_arrivals__daily").fetchone()
        (landed_at,) = connection.execute("select max(landed_at) from raw_web.events").fetchone()
        lost = newest - timedelta(days=5 * LATE_DAYS)
        lose(connection, lost)
    build.dbt("run", "--full-refresh", *ALL)
    before = copied(build, tmp_path / "before")
    with duckdb.connect(str(build.warehouse)) as connection:
        connection.execute(f"attach '{company.warehouse}' as complete (read_only)")
        connection.execute(f"attach '{before.warehouse}' as lost (read_only)")
        assert land_difference(connection, tables, "complete", "lost", landed_at) > 100
    build.dbt("run", *ALL)
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        late = connection.execute("select known_date, sum(records) from operations.late_records group by known_date")
        assert [(day, records > 100) for day, records in late.fetchall()] == [(lost, True)]
    for table, key in FACTS.items():
        found = compare(company.warehouse, build.warehouse, f"core.{table}", key)
        assert found.rows > 100
        assert found.differing == 0, found.examples
    first = f"timestamp '{newest - timedelta(days=LATE_DAYS)}'"
    for table, key in feature_tables(MANIFEST):
        name = f"features.{table}"
        as_complete = compare(company.warehouse, build.warehouse, name, key, f"feature_at >= {first}")
        as_before = compare(before.warehouse, build.warehouse, name, key, f"feature_at < {first} - interval 1 day")
        assert min(as_complete.rows, as_before.rows) > 10
        assert as_complete.differing == as_before.differing == 0, as_complete.examples + as_before.examples
        # A full build counts the day in earlier rows, too.
        assert compare(company.warehouse, before.warehouse, name, key).differing > 0


def lose(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Take away what became known on a day."""
    for table in raw_tables(MANIFEST):
        if table.known_at:
            connection.execute(f"delete from {table.relation} where cast({table.known_at} as date) = date '{day}'")
        else:
            parent, key = table.follows
            connection.execute(
                f"delete from {table.relation} where {key} not in (select id from {table.schema}.{parent})"
            )
