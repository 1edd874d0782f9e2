"""The sample company's server: it pages to the end, wants its token, and fails as told."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from sample.systems.http import Server, Systems, serve

CONTACTS = "/crm/v3/objects/contacts"
MODIFIED = [f"2026-03-{1 + number % 28:02}T10:00:00.000Z" for number in range(120)]
LATE_MARCH = "1773964800000"  # 2026-03-20 00:00 UTC in milliseconds


def contact(number: int) -> dict:
    at = MODIFIED[number]
    return {
        "id": str(number),
        "properties": {"email": f"c{number}@example.com", "phone": "+1-555-0100", "lastmodifieddate": at},
        "propertiesWithHistory": {"email": [{"value": f"c{number}@example.com", "timestamp": at}]},
        "createdAt": at,
        "updatedAt": at,
        "archived": number % 40 == 0,
    }


def event(number: int) -> dict:
    related = {"metric": {"data": {"type": "metric", "id": "M"}}, "profile": {"data": {"type": "profile", "id": "P"}}}
    return {
        "type": "event",
        "id": f"E{number:03}",
        "attributes": {"datetime": MODIFIED[number]},
        "relationships": related,
    }


@pytest.fixture
def server() -> Iterator[Server]:
    systems = Systems(
        contacts=[contact(number) for number in range(120)],
        events=[event(number) for number in range(120)],
        metrics=[{"type": "metric", "id": "M", "attributes": {"name": "Opened Email"}}],
        profiles=[{"type": "profile", "id": "P", "attributes": {"email": "c1@example.com"}}],
        campaigns=[{"type": "campaign", "id": "C", "attributes": {"name": "Spring", "channel": "email"}}],
        rates={"2026-03-06": {"EUR": 0.9, "INR": 81.0}, "2026-03-09": {"EUR": 0.91, "INR": 82.0}},
        token="secret",
    )
    with serve(systems) as running:
        yield running


def ask(
    server: Server, path: str, body: Any = None, authorization: str | None = "Bearer secret", **headers: str
) -> tuple[int, dict, dict]:
    """Return status, content and headers of an answer; a `body` is sent as JSON, or as it stands when it is bytes."""
    given = {"revision": "2024-10-15", **headers} | ({"Authorization": authorization} if authorization else {})
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    url = path if path.startswith("http") else server.url + path
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, given), timeout=5) as answer:
            return answer.status, json.load(answer), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), dict(error.headers)


def listed(server: Server, path: str) -> list[str]:
    """Return the ids on all pages of a list of contacts."""
    ids, after = [], ""
    while after is not None:
        _, page, _ = ask(server, f"{path}{'&after=' if after else ''}{after}")
        ids += [each["id"] for each in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
    return ids


def since(value: str, **more: Any) -> dict:
    filters = [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": value}]
    return {"filterGroups": [{"filters": filters}], **more}


def test_contacts_page_to_the_end(server: Server) -> None:
    alive, archived = listed(server, f"{CONTACTS}?limit=50"), listed(server, f"{CONTACTS}?limit=2&archived=true")
    assert len(alive) == 117
    assert archived == ["0", "40", "80"]
    assert set(alive) | set(archived) == {str(number) for number in range(120)}


def test_contacts_and_events_that_go_do_not_move_the_pages(server: Server) -> None:
    _, page, _ = ask(server, f"{CONTACTS}?limit=50")
    _, events, _ = ask(server, "/api/events?page[size]=50")
    _, newest, _ = ask(server, "/api/events?page[size]=50&sort=-datetime")
    del server.systems.contacts[:9], server.systems.events[:9]
    _, following, _ = ask(server, f"{CONTACTS}?limit=50&after={page['paging']['next']['after']}")
    assert following["results"][0]["id"] == str(int(page["results"][-1]["id"]) + 1)
    by_time = sorted((MODIFIED[number], f"E{number:03}") for number in range(120))
    for first, order in ((events, by_time), (newest, by_time[::-1])):
        ids = [key for _, key in order]
        assert [each["id"] for each in first["data"]] == ids[:50]
        there = [key for key in ids[50:100] if int(key[1:]) >= 9]
        _, second, _ = ask(server, first["links"]["next"])
        assert [each["id"] for each in second["data"]][: len(there)] == there


def test_contacts_show_what_was_asked_for(server: Server) -> None:
    _, page, _ = ask(server, f"{CONTACTS}?limit=1&properties=phone&propertiesWithHistory=email")
    (shown,) = page["results"]
    assert shown["properties"] == {"phone": "+1-555-0100", "lastmodifieddate": MODIFIED[1]}
    assert shown["propertiesWithHistory"]["email"][0]["value"] == "c1@example.com"
    _, page, _ = ask(server, f"{CONTACTS}?limit=1")
    assert set(page["results"][0]["properties"]) == {"email", "lastmodifieddate"}
    assert "propertiesWithHistory" not in page["results"][0]


def test_pages_are_no_larger_than_hubspots(server: Server) -> None:
    assert ask(server, f"{CONTACTS}?limit=100")[0] == 200
    assert ask(server, f"{CONTACTS}?limit=101")[0] == 400
    assert ask(server, f"{CONTACTS}?limit=51&propertiesWithHistory=email")[0] == 400


def test_search_finds_what_changed_since_oldest_first_and_counts_it(server: Server) -> None:
    found, after = [], None
    while True:
        asked = since(LATE_MARCH, limit=10, properties=["email"], **({"after": after} if after else {}))
        status, page, _ = ask(server, f"{CONTACTS}/search", asked)
        assert status == 200
        found += page["results"]
        after = page.get("paging", {}).get("next", {}).get("after")
        if after is None:
            break
    times = [each["properties"]["lastmodifieddate"] for each in found]
    assert times == sorted(times)
    expected = {str(n) for n in range(120) if MODIFIED[n] >= "2026-03-20" and n % 40}
    assert {each["id"] for each in found} == expected
    assert page["total"] == len(found) == len(expected)


def test_search_takes_any_group_and_sorts_as_told(server: Server) -> None:
    groups = [
        {"filters": [{"propertyName": "email", "operator": "EQ", "value": f"C{n}@example.com"}]} for n in (3, 30, 40)
    ]
    sorts = [{"propertyName": "lastmodifieddate", "direction": "DESCENDING"}]
    _, page, _ = ask(server, f"{CONTACTS}/search", {"filterGroups": groups, "sorts": sorts})
    assert [each["id"] for each in page["results"]] == ["3", "30"]
    assert ask(server, f"{CONTACTS}/search", {"filterGroups": [{"filters": [{"operator": "EQ"}]}]})[0] == 400


def test_search_ends_at_ten_thousand_results(server: Server) -> None:
    assert ask(server, f"{CONTACTS}/search", since("0", after="9900", limit=100))[0] == 200
    status, answer, _ = ask(server, f"{CONTACTS}/search", since("0", after="9950", limit=100))
    assert status == 400
    assert "10000" in answer["message"]


def test_batch_read_gives_the_history_of_contacts_that_there_are(server: Server) -> None:
    asked = {"inputs": [{"id": "5"}, {"id": "999"}], "properties": ["email"], "propertiesWithHistory": ["email"]}
    _, answer, _ = ask(server, f"{CONTACTS}/batch/read", asked)
    assert [each["id"] for each in answer["results"]] == ["5"]
    assert answer["results"][0]["propertiesWithHistory"]["email"][0]["timestamp"] == MODIFIED[5]
    asked["inputs"] = [{"id": str(number)} for number in range(51)]
    assert ask(server, f"{CONTACTS}/batch/read", asked)[0] == 400


@pytest.mark.parametrize(("operator", "first"), [("greater-than", "2026-03-21"), ("greater-or-equal", "2026-03-20")])
def test_events_follow_the_filter_and_the_links(server: Server, operator: str, first: str) -> None:
    condition = quote(f"{operator}(datetime,2026-03-20T10:00:00Z)")
    url = f"/api/events?filter={condition}&sort=datetime&include=metric,profile&page[size]=7"
    times, included = [], []
    while url:
        _, page, _ = ask(server, url, authorization="Klaviyo-API-Key secret")
        times += [each["attributes"]["datetime"] for each in page["data"]]
        included.append({each["type"] for each in page["included"]})
        url = page["links"]["next"]
    assert times == sorted(at for at in MODIFIED if at >= first)
    assert included == [{"metric", "profile"}] * len(included)


def test_events_between_two_times_newest_first(server: Server) -> None:
    asked = "and(greater-or-equal(datetime,2026-03-05T10:00:00+00:00),less-than(datetime,2026-03-07T10:00:00Z))"
    _, page, _ = ask(server, f"/api/events?filter={quote(asked)}&sort=-datetime")
    assert {each["attributes"]["datetime"][:10] for each in page["data"]} == {"2026-03-05", "2026-03-06"}
    assert page["data"][0]["attributes"]["datetime"] > page["data"][-1]["attributes"]["datetime"]
    assert ask(server, "/api/events?filter=contains(datetime,2026)")[0] == 400


def test_events_that_are_added_are_there(server: Server) -> None:
    late = event(0)
    late["id"], late["attributes"] = "LATE", {"datetime": "2026-05-01T00:00:00+00:00"}
    assert len(ask(server, "/api/events")[1]["data"]) == 120
    server.systems.events.append(late)
    assert ask(server, "/api/events")[1]["data"][-1]["id"] == "LATE"


def test_marketing_wants_a_revision_and_a_channel(server: Server) -> None:
    assert ask(server, "/api/events", revision="")[0] == 400
    assert ask(server, "/api/campaigns")[0] == 400
    channel = quote("equals(messages.channel,'email')")
    assert [c["id"] for c in ask(server, f"/api/campaigns?filter={channel}")[1]["data"]] == ["C"]


def test_rates_are_of_working_days_in_any_base(server: Server) -> None:
    _, answer, _ = ask(server, "/v1/2026-03-07..2026-03-09?base=USD&symbols=EUR", authorization=None)
    assert answer["rates"] == {"2026-03-09": {"EUR": 0.91}}
    _, answer, _ = ask(server, "/v1/2026-03-01..?base=EUR", authorization=None)
    assert list(answer["rates"]) == ["2026-03-06", "2026-03-09"]
    assert answer["rates"]["2026-03-06"] == {"USD": pytest.approx(1 / 0.9), "INR": pytest.approx(90)}
    for path in ("/v1/yesterday..", "/v1/2026-03-06..?base=XXX"):
        assert ask(server, path, authorization=None)[0] == 404


@pytest.mark.parametrize("authorization", [None, "Bearer other", "secret2"])
@pytest.mark.parametrize("path", [CONTACTS, "/api/events"])
def test_a_token_is_wanted(server: Server, path: str, authorization: str | None) -> None:
    status, answer, _ = ask(server, path, authorization=authorization)
    assert status == 401
    assert "token" in answer["message"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_comes_as_often_as_told_and_only_below_its_prefix(server: Server, status: int) -> None:
    server.fail("/crm", status, times=2, retry_after=3)
    assert ask(server, "/api/events")[0] == 200
    answers = [ask(server, CONTACTS) for _ in range(3)]
    assert [code for code, _, _ in answers] == [status, status, 200]
    assert [headers.get("Retry-After") for _, _, headers in answers] == ["3", "3", None]


def test_a_status_without_retry_after(server: Server) -> None:
    server.fail("/v1", 429)
    assert "Retry-After" not in ask(server, "/v1/2026-03-01..")[2]


def test_a_connection_breaks(server: Server) -> None:
    server.fail("/crm", "reset")
    with pytest.raises(OSError):
        ask(server, CONTACTS)
    assert ask(server, CONTACTS)[0] == 200


def test_an_answer_takes_its_time(server: Server) -> None:
    server.fail("/crm", "slow", seconds=0.3)
    request = urllib.request.Request(server.url + CONTACTS, headers={"Authorization": "Bearer secret"})
    with pytest.raises(OSError):
        urllib.request.urlopen(request, timeout=0.1)


def test_a_token_runs_out(server: Server) -> None:
    server.fail("/api", "expired", times=2)
    assert [ask(server, "/api/events")[0] for _ in range(3)] == [401, 401, 200]


@pytest.mark.parametrize(("fault", "error"), [("cut", http.client.IncompleteRead), ("half", ValueError)])
def test_an_answer_is_cut_short(server: Server, fault: str, error: type[Exception]) -> None:
    server.fail("/crm", fault)
    with pytest.raises(error):
        ask(server, CONTACTS)
    assert ask(server, CONTACTS)[0] == 200


def test_something_on_the_way_wants_a_login(server: Server) -> None:
    server.fail("/crm", "login")
    with pytest.raises(ValueError, match="Expecting value"):
        ask(server, CONTACTS)


def test_an_empty_page_leads_to_what_it_should_have_held(server: Server) -> None:
    server.fail("/", "empty", times=3)
    _, page, _ = ask(server, f"{CONTACTS}?after=20")
    assert page == {"results": [], "paging": {"next": {"after": "020"}}}
    assert ask(server, f"{CONTACTS}?after=020")[1]["results"] == []
    _, page, _ = ask(server, "/api/events?page[size]=5")
    assert (page["data"], page["included"]) == ([], [])
    assert len(ask(server, page["links"]["next"])[1]["data"]) == 5


def test_an_app_renews_its_token(server: Server) -> None:
    form = {"grant_type": "refresh_token", **server.systems.app}
    status, answer, _ = ask(server, "/oauth/v1/token", urlencode(form).encode(), authorization=None)
    assert (status, answer["access_token"]) == (200, "secret")
    form["client_secret"] = "wrong"
    assert ask(server, "/oauth/v1/token", urlencode(form).encode(), authorization=None)[0] == 400


def test_something_happens_after_an_answer(server: Server) -> None:
    server.after_answer = lambda server: server.systems.contacts.clear()
    assert ask(server, CONTACTS)[1]["results"]
    assert ask(server, CONTACTS)[1]["results"] == []


def test_a_cursor_leads_to_its_own_page(server: Server) -> None:
    server.fail("/", "repeat", times=3)
    assert ask(server, f"{CONTACTS}?after=20")[1]["paging"]["next"]["after"] == "20"
    assert ask(server, f"{CONTACTS}/search", since("0", after="10"))[1]["paging"]["next"]["after"] == "10"
    assert ask(server, "/api/events?page[size]=5")[1]["links"]["next"].endswith("/api/events?page[size]=5")


def test_faults_can_be_ordered_and_called_off_from_outside(server: Server) -> None:
    assert ask(server, "/_control", {"prefix": "/crm", "fault": 503, "times": 5}, authorization=None)[0] == 200
    assert ask(server, CONTACTS)[0] == 503
    assert ask(server, "/_control", {"clear": True}, authorization=None)[0] == 200
    assert ask(server, CONTACTS)[0] == 200
    for order in ({"prefix": "/crm", "fault": "explode"}, {"prefix": "/crm"}, {"prefix": "/", "fault": 200}, [1]):
        status, answer, _ = ask(server, "/_control", order)
        assert status == 400
        assert answer["message"]


def test_what_makes_no_sense_is_answered_too(server: Server) -> None:
    assert ask(server, f"{CONTACTS}/search", b"{half")[0] == 400
    assert ask(server, f"{CONTACTS}?after=soon")[0] == 400
    assert ask(server, f"{CONTACTS}/batch/read", {})[0] == 400
    assert ask(server, f"{CONTACTS}/search")[0] == 405
    assert ask(server, "/nowhere")[0] == 404
    assert server.requests[-1] == "/nowhere"
