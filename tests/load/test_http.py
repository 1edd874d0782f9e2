"""The CRM, the marketing platform and the rates: every record as it was sent, whatever the network does."""

import json
from collections.abc import Iterator

import pytest
from apis import Apis, contact, event, serving

from load.readers.pages import members, objects

FIRST = "2026-03-01T10:00:00.000Z"


@pytest.fixture
def apis(company) -> Iterator[Apis]:
    with serving(Apis()) as apis:
        for source in ("crm", "marketing", "fx"):
            company.connect(source, url=apis.url)
        for source in ("crm", "marketing"):
            company.connect(source, token=apis.token)
        company.connect("fx", since="2026-02-27", until="2026-03-31")
        yield apis


def ids(company, table: str) -> list[str]:
    return [key for (key,) in company.query(f"select source_key from {table} order by length(source_key), source_key")]


def test_a_record_is_the_very_text_that_was_sent() -> None:
    contact = '{"id":"1", "n": 1.50, "big": 123456789012345678901234567890, "é": "\\u00e9"}'
    text = f' {{"total": 2, "results": [ {contact},\n{{}} ]}}'
    assert [sent for _, sent in objects("crm", text, "results")] == [contact, "{}"]
    assert members('{"a" : {"EUR": 0.910}, "b":[1 , 2]}') == {"a": '{"EUR": 0.910}', "b": "[1 , 2]"}
    assert objects("crm", '{"results": []}', "results") == []


def test_contacts_land_with_history_page_by_page_archived_too(company, apis) -> None:
    apis.contacts = [contact(number, FIRST, archived=number > 110) for number in range(1, 121)]
    assert company.load("crm") == 0
    assert ids(company, "raw_crm.contacts") == [str(number) for number in range(1, 121)]
    payload, file = company.query("select payload, source_file from raw_crm.contacts where source_key = '7'")[0]
    assert (json.loads(payload), file) == (contact(7, FIRST), "/crm/v3/objects/contacts")
    assert len(apis.asked) == 4


def test_later_run_searches_for_what_changed_and_lands_new_versions_alone(company, apis) -> None:
    apis.contacts = [contact(number, FIRST) for number in range(1, 121)]
    company.load("crm")
    apis.contacts[4] = contact(5, "2026-03-05T10:00:00.000Z", lifecyclestage="customer")
    apis.contacts.append(contact(121, "2026-03-06T10:00:00.000Z"))
    del apis.contacts[9]  # merged into another: gone from the list, kept in raw
    apis.asked.clear()
    company.load("crm")
    assert company.query("select count(*), count(distinct source_key) from raw_crm.contacts") == [(122, 121)]
    assert set(apis.asked) == {f"/crm/v3/objects/contacts{end}" for end in ("", "/search", "/batch/read")}
    company.load("crm")
    assert company.query("select count(*) from raw_crm.contacts") == [(122,)]
    apis.asked.clear()
    apis.contacts.append(contact(122, "2026-03-07T10:00:00.000Z"))
    company.load("crm")
    assert len(apis.asked) == 3


def test_search_passes_its_ceiling(company, apis) -> None:
    apis.contacts = [contact(1, FIRST)]
    company.load("crm")
    apis.ceiling = 100
    apis.contacts += [
        contact(number, f"2026-03-02T10:{number // 60:02}:{number % 60:02}.000Z") for number in range(2, 500)
    ]
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 499


def test_more_contacts_of_one_moment_than_a_search_can_show_are_listed(company, apis, monkeypatch) -> None:
    monkeypatch.setattr("load.sources.crm.SEARCH_CEILING", 100)
    apis.contacts = [contact(1, FIRST)]
    company.load("crm")
    apis.ceiling = 100
    apis.contacts += [contact(number, "2026-03-02T10:00:00.000Z") for number in range(2, 300)]
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 299


def test_contact_edited_while_the_search_is_read_hides_no_other(company, apis) -> None:
    apis.contacts = [contact(1, FIRST)]
    company.load("crm")
    apis.contacts = [
        contact(number, f"2026-03-02T10:{number // 60:02}:{number % 60:02}.000Z") for number in range(1, 200)
    ]

    def edit_the_first(apis: Apis) -> None:
        if apis.asked[-1].endswith("/search") and apis.contacts[0]["id"] == "1":
            apis.contacts.append(contact(1, "2026-03-03T10:00:00.000Z"))
            del apis.contacts[0]

    apis.after_page = edit_the_first
    company.load("crm")
    assert len(set(ids(company, "raw_crm.contacts"))) == 199


def test_events_land_with_their_metrics_and_profiles_once_each(company, apis) -> None:
    apis.page = 3
    apis.events = [event(number, f"2026-03-01T10:00:{number:02}+00:00", f"P{number % 2}") for number in range(1, 11)]
    apis.campaigns = [{"type": "campaign", "id": "C1", "attributes": {"name": "Spring"}}]
    assert company.load("marketing") == 0
    assert ids(company, "raw_marketing.events") == [f"E{number}" for number in range(1, 11)]
    assert ids(company, "raw_marketing.metrics") == ["M1"]
    assert ids(company, "raw_marketing.profiles") == ["P0", "P1"]
    assert ids(company, "raw_marketing.campaigns") == ["C1"]
    assert company.query("select distinct source_file from raw_marketing.profiles") == [("/api/events",)]


def test_late_event_within_the_lag_lands_and_nothing_twice(company, apis) -> None:
    apis.events = [event(1, "2026-03-01T10:00:00+00:00"), event(2, "2026-03-20T10:00:00+00:00")]
    company.load("marketing")
    apis.events.append(event(3, "2026-03-18T00:00:00+00:00"))
    apis.events.append(event(4, "2026-03-21T00:00:00+00:00"))
    company.load("marketing")
    assert ids(company, "raw_marketing.events") == ["E1", "E2", "E3", "E4"]
    read, landed = company.query(
        "select records_read, records_landed from raw_marketing.manifest where table_name = 'events' "
        "order by landed_at desc"
    )[0]
    assert (read, landed) == (3, 2)


def test_rates_land_one_record_a_date_with_their_digits(company, apis) -> None:
    apis.rates = {"2026-02-27": '{"EUR":0.9100,"INR":83.0}', "2026-03-02": '{"EUR":0.920}'}
    assert company.load("fx") == 0
    assert company.query("select source_key, payload from raw_fx.rates order by 1") == [
        ("2026-02-27", '{"base":"USD","date":"2026-02-27","rates":{"EUR":0.9100,"INR":83.0}}'),
        ("2026-03-02", '{"base":"USD","date":"2026-03-02","rates":{"EUR":0.920}}'),
    ]
    apis.rates["2026-03-03"] = '{"EUR":0.930}'
    apis.asked.clear()
    company.load("fx")
    assert ids(company, "raw_fx.rates") == ["2026-02-27", "2026-03-02", "2026-03-03"]
    assert apis.asked == ["/v1/2026-02-27..2026-03-31"]


def test_rates_of_many_years_are_asked_for_year_by_year(company, apis) -> None:
    company.connect("fx", since="2024-05-01")
    company.load("fx")
    assert apis.asked == ["/v1/2024-05-01..2024-12-31", "/v1/2025-01-01..2025-12-31", "/v1/2026-01-01..2026-03-31"]


@pytest.mark.parametrize(
    "faults", [["429 1"], ["429"], ["500", "503"], ["reset"], ["half"], ["reset", "429", "502"], ["slow"]], ids=str
)
def test_passing_faults_lose_nothing(company, apis, faults) -> None:
    company.monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.5")
    apis.contacts = [contact(number, FIRST) for number in range(1, 121)]
    apis.faults = list(faults)
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 120


def test_server_that_stays_broken_fails_and_lands_what_was_read(company, apis) -> None:
    apis.contacts = [contact(number, FIRST) for number in range(1, 121)]

    def break_after_the_first_page(apis: Apis) -> None:
        apis.faults = ["500"] * 5

    apis.after_page = break_after_the_first_page
    assert company.load("crm") == 1
    assert "again and again" in company.output
    assert len(ids(company, "raw_crm.contacts")) == 50
    assert company.query("select cursor_until from raw_crm.manifest") == [(None,)]
    apis.after_page = None
    apis.faults.clear()
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 120
    assert company.query("select records_read, records_landed from raw_crm.manifest order by landed_at") == [
        (50, 50),
        (120, 70),
    ]


def test_token_that_expires_between_pages_names_the_variable(company, apis) -> None:
    apis.contacts = [contact(number, FIRST) for number in range(1, 121)]
    apis.after_page = lambda apis: setattr(apis, "token", "renewed")
    assert company.load("crm") == 1
    assert "SOURCES__CRM__TOKEN" in company.output
    assert len(ids(company, "raw_crm.contacts")) == 50
    apis.after_page = None
    company.connect("crm", token="renewed")
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 120


def test_token_that_expires_between_pages_is_renewed_where_the_app_can(company, apis) -> None:
    apis.contacts = [contact(number, FIRST) for number in range(1, 121)]
    pages_sent = []

    def expire(apis: Apis) -> None:
        pages_sent.append(1)
        apis.token = f"token-{len(pages_sent)}"

    apis.after_page = expire
    company.connect("crm", client_id="app", client_secret="s", refresh_token="r")
    assert company.load("crm") == 0, company.output
    assert len(ids(company, "raw_crm.contacts")) == 120
    assert apis.asked.count("/oauth/v1/token") >= 3


def test_refresh_that_is_refused_names_the_variables(company, apis) -> None:
    company.connect("crm", token="", client_id="app", client_secret="wrong", refresh_token="r")
    assert company.load("crm") == 1
    assert "gives no new token: 400" in company.output
    assert "SOURCES__CRM__CLIENT_SECRET" in company.output


def test_odd_text_lands_to_the_letter(company, apis, monkeypatch) -> None:
    at = f'"lastmodifieddate": "{FIRST}"'
    sent = [
        f'{{"id": "1", "properties": {{{at}, "n": 1.50, "n": 123456789012345678901234567890}}}}',
        f'{{"id": "2\\ud800", "properties": {{{at}, "name": "a\\u0000b\\udfff"}}}}',
        f'{{"id": "3", "properties": {{{at}, "name": "caf\udce9"}}}}',
    ]
    monkeypatch.setattr(apis, "answer", lambda *_: (200, f'{{"results": [{", ".join(sent)}]}}'))
    assert company.load("crm") == 0, company.output
    landed = company.query("select payload, payload_bytes from raw_crm.contacts order by payload")
    assert [payload for payload, _ in landed[:2]] == sent[:2]
    assert landed[2] == (
        sent[2].replace("\udce9", "\ufffd"),
        sent[2].encode(errors="surrogateescape"),
    )


@pytest.mark.parametrize("source", ["crm", "marketing"])
@pytest.mark.parametrize("token", ["", "wrong"])
def test_absent_or_wrong_token_names_the_variable(company, apis, source, token) -> None:
    company.connect(source, token=token)
    assert company.load(source) == 1
    assert f"SOURCES__{source.upper()}__TOKEN" in company.output


def test_cursor_that_repeats_is_said_and_ends(company, apis) -> None:
    apis.contacts = [contact(number, FIRST) for number in range(1, 121)]
    apis.repeat_cursor = True
    assert company.load("crm") == 1
    assert "same cursor" in company.output
    assert len(ids(company, "raw_crm.contacts")) == 50


def test_empty_page_in_the_middle_is_not_the_end(company, apis, monkeypatch) -> None:
    apis.contacts = [contact(number, FIRST) for number in range(1, 121)]
    whole = apis._contacts

    def empty_second(contacts, after, limit):
        if contacts and after == 50 and "skipped" not in apis.__dict__:
            apis.__dict__["skipped"] = True
            return json.dumps({"results": [], "paging": {"next": {"after": "50"}}, "x": 1})
        return whole(contacts, after, limit)

    monkeypatch.setattr(apis, "_contacts", empty_second)
    # The cursor after an empty page is a new one, as an API would send it.
    monkeypatch.setattr(apis, "answer", _with_cursor_names(apis))
    assert company.load("crm") == 0
    assert len(ids(company, "raw_crm.contacts")) == 120


def _with_cursor_names(apis: Apis):
    answer = apis.answer

    def renamed(path, query, body):
        after = query.get("after", "0")
        status, text = answer(path, {**query, "after": after.rstrip("+")}, body)
        return status, text.replace('"after": "50"}}, "x"', '"after": "50+"}}, "x"')

    return renamed


def test_unreachable_server_says_where_and_what_to_check(company) -> None:
    company.connect("fx", url="http://127.0.0.1:9")
    assert company.load("fx") == 1
    assert "cannot reach http://127.0.0.1:9: [Errno 111] Connection refused" in company.output
    assert "SOURCES__FX__URL" in company.output


def test_answer_that_is_no_json_or_another_api_is_said(company, apis, monkeypatch) -> None:
    monkeypatch.setattr(apis, "answer", lambda *_: (200, "<html>login</html>"))
    assert company.load("crm") == 1
    assert "not JSON" in company.output
    monkeypatch.setattr(apis, "answer", lambda *_: (200, '{"hello": "world"}'))
    assert company.load("crm") == 1
    assert "no list `results`" in company.output
