"""Whose a device was and where sessions began, as known on each day: random histories against the rule itself."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operate.literals import literal
from tests.conftest import Build

START = datetime(2026, 3, 1)
Run = Callable[[str, dict[str, list[dict]]], list[dict]]


@pytest.fixture(scope="module")
def model(company: Build) -> Run:
    """Return what runs a model, as dbt compiled it for the company, on tables of one's own."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")

    def run(name: str, tables: dict[str, list[dict]]) -> list[dict]:
        (path,) = (company.folder / "target" / "compiled" / "shopsmart" / "models").rglob(f"{name}.sql")
        # Compiled last for the docs, when nothing was new: here, everything is.
        sql = re.sub(r">= date '\d{4}-\d\d-\d\d'", ">= date '0001-01-01'", path.read_text())
        for table, rows in tables.items():
            sql = re.sub(rf'"\w+"\."\w+"\."{table}"', table, sql)
            values = ", ".join("(" + ", ".join(literal(value) for value in row.values()) + ")" for row in rows)
            columns = ", ".join(rows[0])
            connection.execute(
                f"create or replace temp table {table} as select * from (values {values}) as t ({columns})"
            )
        result = connection.execute(sql)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    return run


hours = st.integers(0, 8)
logins = st.lists(st.tuples(hours, hours, st.sampled_from(["ann", "bob", "cat"])), min_size=1, max_size=7)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logins)
def test_a_device_is_whose_login_came_last_of_those_known(model: Run, logins: list[tuple[int, int, str]]) -> None:
    rows = [
        {
            "device_id": "d", "event_id": f"{number:03}", "identity_type": "account", "identity": who,
            "event_at": START + timedelta(hours=at), "known_at": START + timedelta(hours=at + delay),
            "known_date": (START + timedelta(hours=at + delay)).date(),
        }
        for number, (at, delay, who) in enumerate(logins)
    ]  # fmt: skip
    # What is held of before is of others.
    held = [{"device_id": "another", "linked_at": START, "unlinked_at": START}]
    spans = model("int_identity__device_spans", {"int_identity__logins": rows, "int_identity__device_spans": held})
    for known in range(18):
        moment = START + timedelta(hours=known, minutes=30)
        seen = sorted((r["event_at"], r["event_id"], r["identity"]) for r in rows if r["known_at"] < moment)
        for at in range(-1, 10):
            event_at = START + timedelta(hours=at, minutes=15)
            before = [who for login_at, _, who in seen if login_at <= event_at]
            expected = {before[-1]} if before else {seen[0][2]} if seen else set()
            found = [
                span["identity"]
                for span in spans
                if span["valid_from"] <= event_at < span["valid_to"]
                and span["linked_at"] < moment <= span["unlinked_at"]
            ]
            assert len(set(found)) == len(found) or len(set(found)) == 1
            assert set(found) == expected, (moment, event_at)


minutes = st.integers(0, 12).map(lambda step: step * 17)
lives = st.lists(st.tuples(minutes, st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=9)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives)
def test_sessions_are_those_of_the_events_that_were_known(model: Run, lives: list[tuple[int, int, int]]) -> None:
    evening, rows, spans = START + timedelta(hours=22), [], []
    for number, (minute, known, kept) in enumerate(lives):
        at, first = evening + timedelta(minutes=minute), START.date() + timedelta(days=1 + known)
        last = first + timedelta(days=kept) if kept else None
        spans.append((at, first, last))
        event = {"customer_id": "ann", "event_id": str(number), "event_at": at}
        rows.append(event | {"known_date": first, "change": 1})
        if last:
            rows.append(event | {"known_date": last, "change": -1})
    changes = model("int_customer_sessions__known", {"int_events__attributed": rows})
    for number in range(14):
        day = START.date() + timedelta(days=number)
        known = sorted({at for at, first, last in spans if first <= day and not (last and last <= day)})
        starts = [at for place, at in enumerate(known) if not place or at - known[place - 1] > timedelta(minutes=30)]
        for event_date in (START.date(), START.date() + timedelta(days=1)):
            counted = sum(c["sessions"] for c in changes if c["known_date"] <= day and c["event_date"] == event_date)
            assert counted == sum(at.date() == event_date for at in starts), (day, event_date)
