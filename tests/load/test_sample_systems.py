"""The loaders against the sample company's own server: all three APIs, and everything it can be told to do."""

import json
from collections.abc import Iterator

import pytest

from sample.systems.http import Server, Systems, serve

NUMBERS = range(1, 151)
MODIFIED = [f"2026-03-{1 + number % 28:02}T10:00:00.000Z" for number in NUMBERS]


def contacts() -> list[dict]:
    return [
        {
            "id": str(number),
            "properties": {"email": f"c{number}@example.com", "lastmodifieddate": modified},
            "propertiesWithHistory": {"email": [{"value": f"c{number}@example.com", "timestamp": modified}]},
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": modified,
            "archived": number % 50 == 0,
        }
        for number, modified in zip(NUMBERS, MODIFIED, strict=True)
    ]


def events() -> list[dict]:
    return [
        {
            "type": "event",
            "id": f"E{number}",
            "attributes": {"datetime": modified},
            "relationships": {
                "metric": {"data": {"type": "metric", "id": "M1"}},
                "profile": {"data": {"type": "profile", "id": f"P{number % 7}"}},
            },
        }
        for number, modified in zip(NUMBERS, MODIFIED, strict=True)
    ]


@pytest.fixture
def server(company) -> Iterator[Server]:
    systems = Systems(
        contacts=contacts(),
        events=events(),
        metrics=[{"type": "metric", "id": "M1", "attributes": {"name": "Opened Email"}}],
        profiles=[{"type": "profile", "id": f"P{number}", "attributes": {"email": "x"}} for number in range(7)],
        campaigns=[{"type": "campaign", "id": "C1", "attributes": {"name": "Spring"}}],
        rates={f"2026-03-{day:02}": {"EUR": 0.91, "INR": 83.1} for day in range(2, 7)},
    )
    with serve(systems) as server:
        for source in ("crm", "marketing", "fx"):
            company.connect(source, url=server.url)
        for source in ("crm", "marketing"):
            company.connect(source, token=systems.token)
        company.connect("fx", since="2026-03-01", until="2026-03-31")
        company.monkeypatch.setattr("load.sources.marketing.MOST_EVENTS_A_PAGE", 40)
        yield server


COUNTS = {
    "raw_crm.contacts": 150,
    "raw_marketing.events": 150,
    "raw_marketing.metrics": 1,
    "raw_marketing.profiles": 7,
    "raw_marketing.campaigns": 1,
    "raw_fx.rates": 5,
}


def counts(company) -> dict[str, int]:
    return {table: company.query(f"select count(*) from {table}")[0][0] for table in COUNTS}


def test_everything_lands_once(company, server) -> None:
    assert company.load("crm", "marketing", "fx") == 0
    assert counts(company) == COUNTS
    sent = {contact["id"]: contact["properties"]["email"] for contact in server.systems.contacts}
    payloads = [json.loads(payload) for (payload,) in company.query("select payload from raw_crm.contacts")]
    assert {contact["id"]: contact["properties"]["email"] for contact in payloads} == sent
    assert all(contact["propertiesWithHistory"] for contact in payloads)
    assert company.load("crm", "marketing", "fx") == 0
    assert counts(company) == COUNTS


@pytest.mark.parametrize("fault", [429, "reset"], ids=str)
def test_passing_fault_in_every_api_loses_nothing(company, server, fault) -> None:
    for prefix in ("/crm", "/api/events", "/api/campaigns", "/v1"):
        server.fail(prefix, fault, times=2)
    assert company.load("crm", "marketing", "fx") == 0
    assert counts(company) == COUNTS


def test_fault_that_lasts_fails_its_source_alone(company, server) -> None:
    server.fail("/api/events", 500, times=99)
    assert company.load("crm", "marketing", "fx") == 1
    assert "failed: marketing" in company.output
    assert counts(company) == {
        **COUNTS,
        "raw_marketing.events": 0,
        "raw_marketing.metrics": 0,
        "raw_marketing.profiles": 0,
    }


@pytest.mark.parametrize(("source", "path"), [("crm", "/crm"), ("marketing", "/api/events")])
def test_repeated_cursor_ends_the_reading_and_the_next_run_completes_it(company, server, source, path) -> None:
    server.fail(path, "repeat", times=99)
    assert company.load(source) == 1
    assert "same cursor" in company.output
    server.clear()
    assert company.load(source) == 0
    assert counts(company)[f"raw_{source}.{'contacts' if source == 'crm' else 'events'}"] == 150


def test_expired_token_names_its_variable(company, server) -> None:
    server.fail("/crm", "expired")
    assert company.load("crm") == 1
    assert "SOURCES__CRM__TOKEN" in company.output
