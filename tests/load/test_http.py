"""The CRM, the marketing platform and the rates: every record as it was sent, whatever the network does."""

import json
import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import dlt
import pytest
import requests

from load.readers.pages import Token, configured_token, members, objects
from sample.systems.http import Server, Systems, serve

FIRST = "2026-03-01T10:00:00.000Z"
CONTACTS = "/crm/v3/objects/contacts"
METRIC = {"type": "metric", "id": "M1", "attributes": {"name": "Opened Email"}}
APP = {"client_id": "sample-app", "client_secret": "sample-secret", "refresh_token": "sample-refresh"}


def contact(number: int, modified: str = FIRST, archived: bool = False, **properties: Any) -> dict[str, Any]:
    """A contact as HubSpot keeps it."""
    values = {"email": f"c{number}@example.com", "lastmodifieddate": modified, **properties}
    return {
        "id": str(number),
        "properties": values,
        "propertiesWithHistory": {name: [{"value": value, "timestamp": modified}] for name, value in values.items()},
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": modified,
        "archived": archived,
    }


def contacts(count: int) -> list[dict[str, Any]]:
    return [contact(number) for number in range(1, count + 1)]


def event(number: int, at: str, profile: str = "P1") -> dict[str, Any]:
    """An event as Klaviyo sends it."""
    related = {
        "metric": {"data": {"type": "metric", "id": "M1"}},
        "profile": {"data": {"type": "profile", "id": profile}},
    }
    return {"type": "event", "id": f"E{number}", "attributes": {"datetime": at}, "relationships": related}


def events(count: int) -> list[dict[str, Any]]:
    return [event(number, f"2026-03-01T10:00:{number:02}+00:00", f"P{number % 2}") for number in range(1, count + 1)]


@pytest.fixture
def server(company) -> Iterator[Server]:
    profiles = [
        {"type": "profile", "id": each, "attributes": {"email": f"{each}@example.com"}} for each in ("P0", "P1")
    ]
    with serve(Systems(token="secret", metrics=[METRIC], profiles=profiles)) as server:
        for source in ("crm", "marketing", "fx"):
            company.connect(source, url=server.url)
        for source in ("crm", "marketing"):
            company.connect(source, token="secret")
        company.connect("fx", since="2026-02-27", until="2026-03-31")
        yield server


def ids(company, table: str) -> list[str]:
    return [key for (key,) in company.query(f"select source_key from {table} order by length(source_key), source_key")]


def numbers(*spans: tuple[int, int]) -> list[str]:
    return [str(number) for first, last in spans for number in range(first, last + 1)]


def asked(server: Server) -> list[str]:
    return [urlsplit(each).path for each in server.requests]


def once(change) -> Any:
    """A change that happens after the first answer alone."""

    def changed(server: Server) -> None:
        server.after_answer = None
        change(server)

    return changed


def test_a_record_is_the_very_text_that_was_sent() -> None:
    contact = '{"id":"1", "n": 1.50, "big": 123456789012345678901234567890, "é": "\\u00e9"}'
    text = f' {{"total": 2, "results": [ {contact},\n{{}} ]}}'
    assert [sent for _, sent in objects("crm", text, "results")] == [contact, "{}"]
    assert members('{"a" : {"EUR": 0.910}, "b":[1 , 2], "a": 3}') == [
        ("a", '{"EUR": 0.910}'),
        ("b", "[1 , 2]"),
        ("a", "3"),
    ]
    assert objects("crm", '{"results": []}', "results") == []


# What the APIs hold


def test_contacts_land_with_history_page_by_page_archived_too(company, server) -> None:
    server.systems.contacts = [contact(number, archived=number > 110) for number in range(1, 121)]
    assert company.load("crm") == 0
    assert ids(company, "raw_crm.contacts") == numbers((1, 120))
    payload, file = company.query("select payload, source_file from raw_crm.contacts where source_key = '7'")[0]
    assert json.loads(payload)["propertiesWithHistory"]["email"] == [{"value": "c7@example.com", "timestamp": FIRST}]
    assert file == CONTACTS
    assert len(server.requests) == 4


def test_later_run_searches_for_what_changed_and_lands_new_versions_alone(company, server) -> None:
    held = server.systems.contacts = contacts(120)
    company.load("crm")
    held[4] = contact(5, "2026-03-05T10:00:00.000Z", lifecyclestage="customer")
    held.append(contact(121, "2026-03-06T10:00:00.000Z"))
    server.requests.clear()
    company.load("crm")
    assert company.query("select count(*), count(distinct source_key) from raw_crm.contacts") == [(122, 121)]
    assert set(asked(server)) == {CONTACTS, f"{CONTACTS}/search", f"{CONTACTS}/batch/read"}
    company.load("crm")
    assert company.query("select count(*) from raw_crm.contacts") == [(122,)]
    server.requests.clear()
    held.append(contact(122, "2026-03-07T10:00:00.000Z"))
    company.load("crm")
    assert len(server.requests) == 3


def test_contacts_that_are_archived_merged_or_purged(company, server) -> None:
    held = server.systems.contacts = contacts(6)
    company.load("crm")
    held[0] = contact(1, archived=True)  # its date does not change, and no search finds it
    held[2] = contact(3, "2026-03-02T10:00:00.000Z", hs_merged_object_ids="2")
    del held[1]  # merged into 3
    del held[4]  # 6, deleted for good: no answer tells
    assert company.load("crm") == 0
    landed = company.query("select source_key, payload from raw_crm.contacts order by landed_at, source_key")
    # What a search finds comes first, what is archived after it.
    assert [key for key, _ in landed] == [*numbers((1, 6)), "3", "1"]
    assert json.loads(landed[-1][1])["archived"] is True
    assert json.loads(landed[-2][1])["properties"]["hs_merged_object_ids"] == "2"


@pytest.mark.parametrize("moments", [1, 498])
def test_search_passes_its_ceiling(company, server, monkeypatch, moments) -> None:
    server.systems.contacts = contacts(1)
    company.load("crm")
    monkeypatch.setattr("sample.systems.answers.SEARCH_CEILING", 100)
    server.systems.contacts += [
        contact(number, f"2026-03-02T10:{number % moments // 60:02}:{number % moments % 60:02}.000Z")
        for number in range(2, 500)
    ]
    assert company.load("crm") == 0, company.output
    assert ids(company, "raw_crm.contacts") == numbers((1, 499))


def test_events_land_with_their_metrics_and_profiles_once_each(company, server, monkeypatch) -> None:
    monkeypatch.setattr("load.sources.marketing.MOST_EVENTS_A_PAGE", 3)
    server.systems.events = events(10)
    server.systems.campaigns = [{"type": "campaign", "id": "C1", "attributes": {"name": "Spring"}}]
    assert company.load("marketing") == 0
    assert ids(company, "raw_marketing.events") == [f"E{number}" for number in range(1, 11)]
    assert ids(company, "raw_marketing.metrics") == ["M1"]
    assert ids(company, "raw_marketing.profiles") == ["P0", "P1"]
    assert ids(company, "raw_marketing.campaigns") == ["C1"]
    assert company.query("select distinct source_file from raw_marketing.profiles") == [("/api/events",)]


def test_a_campaign_that_goes_back_to_what_it_was_lands_again(company, server) -> None:
    for status in ("Draft", "Scheduled", "Draft", "Draft"):
        server.systems.campaigns = [{"type": "campaign", "id": "C1", "attributes": {"status": status}}]
        company.load("marketing")
    said = company.query("select payload ->> '$.attributes.status' from raw_marketing.campaigns order by landed_at")
    assert said == [("Draft",), ("Scheduled",), ("Draft",)]


def test_late_event_within_the_lag_lands_and_nothing_twice(company, server) -> None:
    server.systems.events = [event(1, "2026-03-01T10:00:00+00:00"), event(2, "2026-03-20T10:00:00+00:00")]
    company.load("marketing")
    server.systems.events.append(event(3, "2026-03-18T00:00:00+00:00"))
    server.systems.events.append(event(4, "2026-03-21T00:00:00+00:00"))
    company.load("marketing")
    assert ids(company, "raw_marketing.events") == ["E1", "E2", "E3", "E4"]
    read, landed = company.query(
        "select records_read, records_landed from raw_marketing.manifest where table_name = 'events' "
        "order by landed_at desc"
    )[0]
    assert (read, landed) == (3, 2)


def test_rates_land_one_record_a_date_with_their_digits(company, server, monkeypatch) -> None:
    rates = b'{"base": "USD", "rates": {"2026-02-27": {"EUR":0.9100,"INR":83.0}, "2026-03-02": {"EUR":0.920}%s}}'
    monkeypatch.setattr(server, "answer", lambda *_: (200, rates % b""))
    assert company.load("fx") == 0
    assert company.query("select source_key, payload from raw_fx.rates order by 1") == [
        ("2026-02-27", '{"base":"USD","date":"2026-02-27","rates":{"EUR":0.9100,"INR":83.0}}'),
        ("2026-03-02", '{"base":"USD","date":"2026-03-02","rates":{"EUR":0.920}}'),
    ]
    monkeypatch.setattr(server, "answer", lambda *_: (200, rates % b', "2026-03-03": {"EUR":0.930}'))
    server.requests.clear()
    company.load("fx")
    assert ids(company, "raw_fx.rates") == ["2026-02-27", "2026-03-02", "2026-03-03"]
    assert asked(server) == ["/v1/2026-02-27..2026-03-31"]


def test_rates_of_many_years_are_asked_for_year_by_year(company, server) -> None:
    company.connect("fx", since="2024-05-01")
    company.load("fx")
    assert asked(server) == ["/v1/2024-05-01..2024-12-31", "/v1/2025-01-01..2025-12-31", "/v1/2026-01-01..2026-03-31"]


# Faults that pass


@pytest.mark.parametrize(
    "faults",
    [
        [(429, {"retry_after": 1})],
        [(429, {"retry_after": "in a second"})],
        [(429, {"retry_after": "soon"})],
        [(429, {"times": 3})],
        [(500, {}), (503, {})],
        [("reset", {})],
        [("cut", {})],
        [("half", {})],
        [("reset", {}), (429, {}), (502, {})],
        [("slow", {"seconds": 0.6})],
    ],
    ids=str,
)
def test_passing_faults_lose_nothing(company, server, faults) -> None:
    company.monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.5")
    server.systems.contacts = contacts(120)
    for fault, options in faults:
        if options.get("retry_after") == "in a second":
            options = {"retry_after": formatdate(time.time() + 1.5, usegmt=True)}
        server.fail(CONTACTS, fault, **options)
    began = time.monotonic()
    assert company.load("crm") == 0, company.output
    assert len(ids(company, "raw_crm.contacts")) == 120
    assert faults != [(429, {"retry_after": 1})] or time.monotonic() - began > 1


@pytest.mark.parametrize("path", [CONTACTS, f"{CONTACTS}/search", "/api/events"])
def test_empty_page_with_a_next_one_is_not_the_end(company, server, monkeypatch, path) -> None:
    monkeypatch.setattr("load.sources.marketing.MOST_EVENTS_A_PAGE", 3)
    server.systems.contacts, server.systems.events = contacts(1), events(10)
    if path.endswith("search"):
        company.load("crm")
    server.systems.contacts = [contact(number, "2026-03-01T20:00:00.000Z") for number in range(1, 121)]
    server.after_answer = once(lambda server: server.fail(path, "empty"))
    assert company.load("crm", "marketing") == 0, company.output
    assert sorted(set(ids(company, "raw_crm.contacts")), key=int) == numbers((1, 120))
    assert len(ids(company, "raw_marketing.events")) == 10
    assert server.fault_for(path) is None


def test_contacts_that_go_while_the_list_is_read_hide_no_other(company, server) -> None:
    held = server.systems.contacts = contacts(120)

    def change(server: Server) -> None:
        held[59] = contact(60, archived=True)
        del held[2:5]  # on the page that was read: what follows moves up

    server.after_answer = once(change)
    assert company.load("crm") == 0
    assert ids(company, "raw_crm.contacts") == numbers((1, 120))


@pytest.mark.parametrize("same_moment", [False, True])
def test_contacts_edited_while_the_search_is_read_hide_no_other(company, server, same_moment) -> None:
    server.systems.contacts = contacts(1)
    company.load("crm")
    held = server.systems.contacts = [
        contact(number, f"2026-03-02T10:{number // 60 * (not same_moment):02}:00.000Z") for number in range(1, 200)
    ]

    def edit(server: Server) -> None:
        if asked(server)[-1].endswith("/search"):
            held[0] = contact(1, "2026-03-03T10:00:00.000Z")
            held[150] = contact(151, "2026-03-03T11:00:00.000Z")

    server.after_answer = edit
    assert company.load("crm") == 0
    assert sorted(set(ids(company, "raw_crm.contacts")), key=int) == numbers((1, 199))
    server.after_answer = None
    company.load("crm")
    edited = "json_extract_string(payload, '$.updatedAt') >= '2026-03-03'"
    assert sorted(company.query(f"select source_key from raw_crm.contacts where {edited}")) == [("1",), ("151",)]


def test_events_that_come_or_go_while_they_are_read_hide_no_other(company, server, monkeypatch) -> None:
    monkeypatch.setattr("load.sources.marketing.MOST_EVENTS_A_PAGE", 3)
    held = server.systems.events = events(10)

    def change(server: Server) -> None:
        if asked(server)[-1] == "/api/events":
            server.after_answer = None
            del held[:2]
            held.append(event(11, "2026-02-28T10:00:00+00:00"))

    server.after_answer = change
    assert company.load("marketing") == 0
    assert ids(company, "raw_marketing.events") == [f"E{number}" for number in range(1, 11)]
    company.load("marketing")
    assert ids(company, "raw_marketing.events") == [f"E{number}" for number in range(1, 12)]


# Faults that stay


def test_server_that_stays_broken_fails_and_lands_what_was_read(company, server) -> None:
    server.systems.contacts = contacts(120)
    server.after_answer = lambda server: server.fail(CONTACTS, 500, times=5)
    assert company.load("crm") == 1
    assert "again and again" in company.output
    assert len(ids(company, "raw_crm.contacts")) == 50
    assert company.query("select cursor_until from raw_crm.manifest") == [(None,)]
    server.after_answer = None
    server.clear()
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 120
    assert company.query("select records_read, records_landed from raw_crm.manifest order by landed_at") == [
        (50, 50),
        (120, 70),
    ]


@pytest.mark.parametrize("as_date", [False, True])
def test_an_hour_that_the_api_wants_to_be_left_alone_is_not_waited(company, server, as_date) -> None:
    server.systems.contacts = contacts(120)
    hour = formatdate(time.time() + 3600, usegmt=True) if as_date else 3600
    server.after_answer = once(lambda server: server.fail(CONTACTS, 429, times=9, retry_after=hour))
    assert company.load("crm") == 1
    assert "left alone for 3,6" in company.output or "left alone for 3,5" in company.output
    assert "RUNTIME__REQUEST_MAX_RETRY_DELAY" in company.output
    assert (len(server.requests), len(ids(company, "raw_crm.contacts"))) == (2, 50)


@pytest.mark.parametrize(("fault", "tries"), [("half", 5), ("cut", 5), ("login", 1)])
def test_answer_that_stays_cut_short_or_no_json_fails_and_lands_what_was_read(company, server, fault, tries) -> None:
    server.systems.contacts = contacts(120)
    server.after_answer = once(lambda server: server.fail(CONTACTS, fault, times=99))
    assert company.load("crm") == 1
    assert ("not JSON, it begins '<!doctype html>" if fault == "login" else "cut short") in company.output
    assert (len(server.requests), len(ids(company, "raw_crm.contacts"))) == (1 + tries, 50)


@pytest.mark.parametrize(("source", "lacks"), [("crm", "no list `results`"), ("fx", "no `rates`")])
def test_answer_of_another_api_is_said(company, server, monkeypatch, source, lacks) -> None:
    monkeypatch.setattr(server, "answer", lambda *_: (200, {"hello": "world"}))
    assert company.load(source) == 1
    assert lacks in company.output


@pytest.mark.parametrize("path", [CONTACTS, f"{CONTACTS}/search", "/api/events"])
def test_cursor_that_repeats_is_said_and_ends(company, server, monkeypatch, path) -> None:
    monkeypatch.setattr("load.sources.marketing.MOST_EVENTS_A_PAGE", 3)
    server.systems.contacts, server.systems.events = contacts(1), events(10)
    if path.endswith("search"):
        company.load("crm")
        # The same page, whatever is asked for.
        page = {"results": [{"id": "1"}], "paging": {"next": {"after": "50"}}}
        answer = server.answer
        monkeypatch.setattr(server, "answer", lambda *asked: (200, page) if asked[1] == path else answer(*asked))
    else:
        server.systems.contacts = contacts(120)
        server.fail(path, "repeat", times=99)
    source = "marketing" if path == "/api/events" else "crm"
    assert company.load(source) == 1
    assert "same cursor" in company.output


def test_pages_without_end_end(company, server, monkeypatch) -> None:
    monkeypatch.setattr("load.readers.pages.MOST_PAGES", 2)
    server.systems.contacts = contacts(120)
    assert company.load("crm") == 1
    assert "did not end after 2 pages" in company.output
    assert len(ids(company, "raw_crm.contacts")) == 100


@pytest.mark.parametrize(("fault", "reason"), [("reset", "Connection reset by peer"), ("slow", "Read timed out")])
def test_server_that_is_not_reached_is_said_after_five_tries(company, server, fault, reason) -> None:
    company.monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.1")
    server.fail("/v1", fault, times=99, seconds=0.2)
    assert company.load("fx") == 1
    assert f"cannot reach {server.url}: " in company.output
    assert reason in company.output
    assert len(server.requests) == 5


@pytest.mark.parametrize("host", ["refused", "unknown"])
def test_server_that_is_not_there_is_said_soon(company, monkeypatch, host) -> None:
    tries, resolve = [], socket.getaddrinfo

    def counted(name: str, *rest: Any, **options: Any) -> Any:
        tries.append(name)
        if host == "unknown":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(name, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    url = "http://127.0.0.1:9" if host == "refused" else "http://rates.example"
    company.connect("fx", url=url)
    assert company.load("fx") == 1
    assert f"cannot reach {url}: " in company.output
    assert ("Connection refused" if host == "refused" else "Name or service not known") in company.output
    assert "SOURCES__FX__URL" in company.output
    assert len(tries) == 3


# Tokens


@pytest.mark.parametrize("source", ["crm", "marketing"])
@pytest.mark.parametrize("token", ["", "hidden", "hid\nden", "hidd\u00e9n"])
def test_absent_or_wrong_token_names_the_variable_and_is_not_shown(company, server, source, token) -> None:
    company.connect(source, token=token)
    assert company.load(source) == 1
    assert f"SOURCES__{source.upper()}__TOKEN" in company.output
    assert "hid" not in company.output


def test_token_that_expires_between_pages_names_the_variable(company, server) -> None:
    server.systems.contacts = contacts(120)
    server.after_answer = lambda server: setattr(server.systems, "token", "renewed")
    assert company.load("crm") == 1
    assert "SOURCES__CRM__TOKEN" in company.output
    assert len(ids(company, "raw_crm.contacts")) == 50
    assert company.query("select cursor_until from raw_crm.manifest") == [(None,)]
    company.connect("crm", token="renewed")
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 120


@pytest.mark.parametrize(("source", "table", "count"), [("crm", "contacts", 120), ("marketing", "events", 10)])
def test_token_that_is_rotated_between_pages_is_read_anew(company, server, monkeypatch, source, table, count) -> None:
    monkeypatch.setattr("load.sources.marketing.MOST_EVENTS_A_PAGE", 3)
    server.systems.contacts, server.systems.events = contacts(120), events(10)

    def rotate(server: Server) -> None:
        server.systems.token = "rotated"
        company.connect(source, token="rotated")
        server.fail("/", "expired")
        server.fail("/", 503)  # meets the new token; the try after it begins with the old one

    server.after_answer = once(rotate)
    assert company.load(source) == 0, company.output
    assert len(ids(company, f"raw_{source}.{table}")) == count


def test_token_in_a_file_is_read_anew(company, monkeypatch) -> None:
    monkeypatch.delenv("SOURCES__CRM__TOKEN", raising=False)
    monkeypatch.setattr(type(dlt.current.run_context()), "settings_dir", str(company.folder))
    for token in ("first", "second"):
        company.write("secrets.toml", f'[sources.crm]\ntoken = "{token}"')
        assert configured_token("crm") == token


def test_token_is_not_sent_to_another_host() -> None:
    refusal = requests.Response()
    refusal.status_code = 401
    refusal.request = requests.Request("GET", "https://elsewhere.example").prepare()  # requests dropped the token
    assert Token("secret", lambda: "new")._again(refusal) is refusal


@pytest.mark.parametrize("token", ["secret", ""])
def test_token_that_expires_between_pages_is_renewed_where_the_app_can(company, server, token) -> None:
    server.systems.contacts = contacts(120)

    def expire(server: Server) -> None:
        if asked(server)[-1] == CONTACTS:
            server.systems.token = f"token-{len(server.requests)}"

    server.after_answer = expire
    company.connect("crm", token=token, **APP)
    assert company.load("crm") == 0, company.output
    assert len(ids(company, "raw_crm.contacts")) == 120
    assert asked(server).count("/oauth/v1/token") == (4 if token == "" else 3)


@pytest.mark.parametrize("fault", [None, "reset", "login"])
def test_refresh_that_fails_is_said(company, server, fault) -> None:
    company.connect("crm", token="", **{**APP, "client_secret": "wrong"})
    if fault:
        server.fail("/oauth", fault, times=99)
    assert company.load("crm") == 1
    assert "gives no new token" in company.output
    assert fault or "SOURCES__CRM__CLIENT_SECRET" in company.output


# Odd answers

AT = f'"lastmodifieddate": "{FIRST}"'
ODD = {
    "a key twice": f'{{"id": "1", "properties": {{{AT}, "n": 1.50, "n": 2}}}}',
    "a number of any length": f'{{"id": "1", "properties": {{{AT}, "n": {"9" * 5000}, "x": 1e999}}}}',
    "NaN": f'{{"id": "1", "properties": {{{AT}, "limit": NaN, "least": -Infinity}}}}',
    "half a surrogate pair": f'{{"id": "2\\ud800", "properties": {{{AT}, "name": "a\\udfff"}}}}',
    "NUL": f'{{"id": "1", "properties": {{{AT}, "name": "a\\u0000b\x00c\td"}}}}',
    "no property of a date": '{"id": "1", "properties": null, "updatedAt": 1772359200000}',
    "no object at all": "[1, 2]",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_odd_record_lands_to_the_letter_beside_a_good_one(company, server, monkeypatch, odd) -> None:
    good = f'{{"id": "9", "properties": {{{AT}}}}}'
    text = f'\ufeff{{"results": [{odd}, {good}], "results": [ {good} ]}}'
    monkeypatch.setattr(server, "answer", lambda *_: (200, text.encode()))
    assert company.load("crm") == 0, company.output
    assert company.query("select payload from raw_crm.contacts where source_key is distinct from '9'") == [(odd,)]
    assert ids(company, "raw_crm.contacts").count("9") == 1


def test_bytes_that_are_not_utf8_land_exactly(company, server, monkeypatch) -> None:
    sent = b'{"id": "3", "properties": {"name": "caf\xe9 \xed\xa0\x80"}}'
    monkeypatch.setattr(server, "answer", lambda *_: (200, b'{"results": [%s]}' % sent))
    assert company.load("crm") == 0, company.output
    assert company.query("select payload, payload_bytes from raw_crm.contacts") == [
        (sent.decode(errors="replace"), sent),
    ]
    assert company.load("crm") == 0
    assert company.query("select count(*) from raw_crm.contacts") == [(1,)]


def test_fields_that_come_and_go(company, server) -> None:
    held = server.systems.contacts = contacts(3)
    company.load("crm")
    held[0] = contact(1, "2026-03-02T10:00:00.000Z", shoe_size="44")
    held[1] = {"id": "2", "properties": {}, "updatedAt": "2026-03-03T10:00:00.000Z"}
    held[2] = {"id": "3", "properties": {"lastmodifieddate": None}, "updatedAt": "2026-03-04T10:00:00.000Z"}
    company.connect("crm", properties="email,shoe_size")
    assert company.load("crm") == 0, company.output
    landed = company.query("select source_key, payload from raw_crm.contacts order by landed_at, source_key")[3:]
    assert [key for key, _ in landed] == numbers((1, 3))
    assert json.loads(landed[0][1])["properties"]["shoe_size"] == "44"
    assert company.query("select max(cursor_until) from raw_crm.manifest") == [("2026-03-04T10:00:00.000000+00:00",)]
