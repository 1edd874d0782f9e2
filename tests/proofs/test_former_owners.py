"""Who turns out never to have had a device loses its events, and the sessions that held them are cut anew."""

import json
from pathlib import Path

import duckdb

from operate.proofs.compare import compare
from operate.proofs.raw import complete_load
from tests.conftest import Build
from tests.proofs.test_later_versions import copied

FACTS = {"fct_events": ["source", "event_id"], "fct_sessions": ["session_id"]}
SELECTED = ("--select", *(f"+{name}" for name in FACTS))
EVENING, NIGHT = "2026-06-29 {}Z", "2026-06-30 {}Z"


def land_event(connection: duckdb.DuckDBPyConnection, name: str, at: str, device: str, said: dict) -> None:
    """Land an event of the web, like another one there but for its time, device and what it says."""
    told = {
        "messageId": name, "anonymousId": device, "userId": None, "originalTimestamp": at, "sentAt": at,
        "receivedAt": at, "timestamp": at,
    } | said  # fmt: skip
    connection.execute(
        """
        insert into raw_web.events
        select * replace (
            json_merge_patch(payload, $told) as payload, 'device.jsonl' as source_file, $line as source_line,
            $name as content_hash, 'before' as _dlt_load_id
        )
        from raw_web.events where payload like '%"Product Viewed"%' order by content_hash limit 1
        """,
        {"told": json.dumps(told), "name": name, "line": int(at[11:13])},
    )


def land_account(connection: duckdb.DuckDBPyConnection, account: int, email: str, at: str, load: str) -> None:
    """Land a version of an account that gives an address from a time on."""
    connection.execute(
        f"""
        insert into raw_shop.customers
        select * replace (
            $account as id, $email as email, least(created_at, cast($at as timestamptz)) as created_at,
            cast($at as timestamptz) as updated_at, $hash as content_hash, '{load}' as _dlt_load_id
        )
        from raw_shop.customers order by id limit 1
        """,
        {"account": account, "email": email, "at": at, "hash": f"{account} {email}"},
    )


def land_shared_device(connection: duckdb.DuckDBPyConnection) -> None:
    """Land what makes a phone one account's: an order there names the address that the account has just given.

    Shortly before midnight the account's laptop was used, so that both are one session.
    """
    connection.execute("set TimeZone = 'UTC'")
    land_account(connection, 70001, "alone@example.com", EVENING.format("10:00:00"), "before")
    land_account(connection, 70001, "shared@example.com", NIGHT.format("00:01:00"), "before")
    land_event(connection, "logged in", EVENING.format("20:00:00"), "laptop", {"userId": "70001"})
    land_event(connection, "on the laptop", EVENING.format("23:55:00"), "laptop", {})
    ordered = {"event": "Order Completed", "properties": {"order_id": "70009"}}
    land_event(connection, "on the phone", NIGHT.format("00:05:00"), "phone", ordered)
    connection.execute("""
        insert into raw_shop.orders
        select * replace (
            70009 as id, null as customer_id, 'shared@example.com' as email,
            timestamptz '2026-06-30 00:05:00Z' as created_at, timestamptz '2026-06-30 00:05:00Z' as updated_at,
            null as cancelled_at, 'phone' as content_hash, 'before' as _dlt_load_id
        )
        from raw_shop.orders where not test order by id limit 1
    """)
    for schema in ("raw_shop", "raw_web"):
        complete_load(connection, schema, "before")


def sessions(build: Build) -> dict[str, tuple[str, str]]:
    """The session and the customer of each event of the shared device's story."""
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return {
            event: (customer, session)
            for event, customer, session in connection.execute("""
                select event_id, customer_id, session_id from core.fct_events where anonymous_id in ('laptop', 'phone')
            """).fetchall()
        }


def test_a_session_of_who_never_had_the_device_is_cut_anew(company: Build, tmp_path: Path) -> None:
    build = copied(company, tmp_path / "build")
    with duckdb.connect(str(build.warehouse)) as connection:
        land_shared_device(connection)
    build.dbt("run", *SELECTED)
    assert sessions(build) == {
        "logged in": ("70001", "logged in"),
        "on the laptop": ("70001", "on the laptop"),
        "on the phone": ("70001", "on the laptop"),
    }
    with duckdb.connect(str(build.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        # Somebody else had given the address before: their account is committed late, and lands with the next load.
        land_account(connection, 70002, "shared@example.com", NIGHT.format("00:00:30"), "after")
        connection.execute("update raw_shop.customers set created_at = updated_at where id = 70002")
        complete_load(connection, "raw_shop", "after")
    at_once = copied(build, tmp_path / "at_once")
    build.dbt("run", *SELECTED)
    at_once.dbt("run", "--full-refresh", *SELECTED)
    assert sessions(at_once) == {
        "logged in": ("70001", "logged in"),
        "on the laptop": ("70001", "on the laptop"),
        "on the phone": ("70002", "on the phone"),
    }
    for table, key in FACTS.items():
        found = compare(at_once.warehouse, build.warehouse, f"core.{table}", key)
        assert found.rows > 300
        assert found.differing == 0, found.examples
