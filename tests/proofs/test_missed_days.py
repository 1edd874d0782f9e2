"""What comes after more days than a record may be late, of a pause or of a source connected later, is all brought."""

from datetime import datetime
from pathlib import Path

import duckdb

from operate.proofs.compare import compare
from operate.proofs.raw import cut, land_difference, raw_tables
from tests.conftest import Build
from tests.imported import MANIFEST
from tests.proofs.test_later_versions import copied
from tests.proofs.test_missing_sources import without

EVENTS = ("--vars", "{late_days: 3}", "--select", "+int_events__unioned")


def test_a_run_after_a_pause_longer_than_late_days_leaves_no_day_out(company: Build, tmp_path: Path) -> None:
    tables = raw_tables(MANIFEST)
    paused = copied(company, tmp_path / "paused")
    with duckdb.connect(str(paused.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        (last,) = connection.execute("select max(known_at) from intermediate.int_events__unioned").fetchone()
        cut(connection, tables, datetime(last.year, last.month, 10))
    paused.dbt("run", "--full-refresh", *EVENTS)
    earlier = copied(paused, tmp_path / "earlier")
    with duckdb.connect(str(paused.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{company.warehouse}' as later (read_only)")
        connection.execute(f"attach '{earlier.warehouse}' as earlier (read_only)")
        assert land_difference(connection, tables, "later", "earlier", last) > 1000
    paused.dbt("run", *EVENTS)
    events = "intermediate.int_events__unioned", ["source", "event_id"]
    found = compare(company.warehouse, paused.warehouse, *events)
    assert found.rows > 1000
    assert found.differing == 0, found.examples


def test_a_source_that_is_connected_later_is_built_from_its_first_day_on(company: Build, tmp_path: Path) -> None:
    build = without(company, tmp_path, ["mobile"])
    build.dbt("run", "--full-refresh", *EVENTS)
    with duckdb.connect(str(build.warehouse)) as connection:
        connection.execute(f"attach '{company.warehouse}' as connected (read_only)")
        for table in ("_dlt_loads", "manifest", "events"):
            connection.execute(f"insert into raw_mobile.{table} from connected.raw_mobile.{table}")
        (before,) = connection.execute("select count(*) from intermediate.int_events__unioned").fetchone()
    build.dbt("run", *EVENTS)
    found = compare(company.warehouse, build.warehouse, "intermediate.int_events__unioned", ["source", "event_id"])
    assert found.rows > before + 1000
    assert found.differing == 0, found.examples
