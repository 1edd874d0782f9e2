"""What the CRM, the marketing platform and the exchange rates answer, as HubSpot, Klaviyo and Frankfurter do.

Pure functions of what the systems hold and what is asked; `sample.systems.http` puts them on a port.
"""

import bisect
import heapq
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

CONTACTS = "/crm/v3/objects/contacts"
SEARCH_CEILING = 10_000
# The most that a page holds; HubSpot gives fewer contacts when it has to add their history.
MOST_LISTED, MOST_WITH_HISTORY, MOST_FOUND, MOST_READ, MOST_EVENTS = 100, 50, 200, 100, 1000
DEFAULT_CONTACTS, DEFAULT_EVENTS = 10, 200
ALWAYS_SHOWN = ("createdate", "hs_object_id", "lastmodifieddate")
SHOWN_UNASKED = (*ALWAYS_SHOWN, "email", "firstname", "lastname")
TOKEN = "sample-token"
APP = {"client_id": "sample-app", "client_secret": "sample-secret", "refresh_token": "sample-refresh"}
Answer = tuple[int, dict[str, Any]]


class BadRequest(Exception):
    """What was asked cannot be answered; the message says why, the answer's status is 400."""


@dataclass
class Systems:
    """What the server holds: records as each system sends them, the token it wants, and the app that may renew it.

    Lists may grow while it serves: what is added, and a contact that is edited, shows in the next answer.
    """

    contacts: list[dict] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)
    metrics: list[dict] = field(default_factory=list)
    profiles: list[dict] = field(default_factory=list)
    campaigns: list[dict] = field(default_factory=list)
    rates: dict[str, dict[str, float]] = field(default_factory=dict)
    base: str = "USD"
    token: str = TOKEN
    app: dict[str, str] = field(default_factory=lambda: dict(APP))
    _by_time: tuple[int, list[datetime], list[dict]] = field(default=(0, [], []), init=False, repr=False)
    _related: tuple[int, dict[tuple[str, str], dict]] = field(default=(0, {}), init=False, repr=False)

    @classmethod
    def from_folder(cls, folder: Path) -> "Systems":
        """Read the files that `sample.systems.api` wrote below `folder`."""

        def lines(name: str) -> list[dict]:
            return [json.loads(line) for line in (folder / name).read_text().splitlines()]

        rates = json.loads((folder / "rates.json").read_text())
        marketing = {name: lines(f"marketing_{name}.jsonl") for name in ("events", "metrics", "profiles", "campaigns")}
        return cls(contacts=lines("contacts.jsonl"), rates=rates["rates"], base=rates["base"], **marketing)

    def events_by_time(self) -> tuple[list[datetime], list[dict]]:
        """Return the times of the events, sorted, and the events in that order."""
        if self._by_time[0] != len(self.events):
            events = sorted(self.events, key=place_of)
            self._by_time = len(events), [place_of(event)[0] for event in events], events
        return self._by_time[1:]

    def related(self) -> dict[tuple[str, str], dict]:
        """Return metrics and profiles by type and id."""
        count = len(self.metrics) + len(self.profiles)
        if self._related[0] != count:
            self._related = count, {(each["type"], each["id"]): each for each in [*self.metrics, *self.profiles]}
        return self._related[1]


def moment(text: str) -> datetime:
    """Return a time in ISO 8601 as UTC, which it is when it names no offset. Raises BadRequest for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{text} is no time") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def whole(name: str, value: object, least: int = 0, most: int | None = None) -> int:
    """Return a whole number that was asked for. Raises BadRequest when it is none, or out of its limits."""
    if not str(value).isdigit() or int(str(value)) < least or (most is not None and int(str(value)) > most):
        limits = f"a whole number from {least}" + (f" to {most}" if most is not None else " on")
        raise BadRequest(f"{name} is {value}, but has to be {limits}")
    return int(str(value))


def list_contacts(systems: Systems, query: dict[str, str]) -> Answer:
    """HubSpot: a page of the contacts, or of the archived ones, by id. `after` is the last id of the page before."""
    archived = query.get("archived") == "true"
    most = MOST_WITH_HISTORY if query.get("propertiesWithHistory") else MOST_LISTED
    limit = whole("limit", query.get("limit", DEFAULT_CONTACTS), 1, most)
    after = whole("after", query["after"]) if query.get("after") else -1
    rest = (c for c in systems.contacts if bool(c.get("archived")) == archived and int(c["id"]) > after)
    page = heapq.nsmallest(limit + 1, rest, key=lambda contact: int(contact["id"]))
    return contact_page(page[:limit], query, page[limit - 1]["id"] if len(page) > limit else None)


def search_contacts(systems: Systems, body: dict[str, Any]) -> Answer:
    """HubSpot: a page of the contacts that fit all filters of any group, sorted; no more than 10,000 in all."""
    start = whole("after", body.get("after") or 0)
    limit = whole("limit", body.get("limit", DEFAULT_CONTACTS), 1, MOST_FOUND)
    if start + limit > SEARCH_CEILING:
        raise BadRequest("The paging offset and limit exceed the maximum of 10000 results for a search.")
    found = [contact for contact in systems.contacts if not contact.get("archived")]
    if groups := body.get("filterGroups"):
        found = [c for c in found if any(all(fits(c, each) for each in group["filters"]) for group in groups)]
    for each in reversed(body.get("sorts") or [{"propertyName": "lastmodifieddate"}]):
        name, falling = each["propertyName"], each.get("direction") == "DESCENDING"
        found.sort(key=lambda contact: ordering(contact, name), reverse=falling)
    asked, end = {"properties": ",".join(body.get("properties", []))}, start + limit
    status, page = contact_page(found[start:end], asked, str(end) if end < len(found) else None)
    return status, {"total": len(found), **page}


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda held, asked: held == asked,
    "NEQ": lambda held, asked: held != asked,
    "GT": lambda held, asked: held > asked,
    "GTE": lambda held, asked: held >= asked,
    "LT": lambda held, asked: held < asked,
    "LTE": lambda held, asked: held <= asked,
}


def fits(contact: dict, condition: dict[str, Any]) -> bool:
    """Return whether a contact fits a filter. Dates are asked for in milliseconds since 1970, or in ISO 8601."""
    name, operator = condition["propertyName"], condition["operator"]
    held = value_of(contact, name)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return (held is not None) == (operator == "HAS_PROPERTY")
    if operator == "IN":
        return held in condition["values"]
    if operator == "BETWEEN":
        low, high = condition["value"], condition["highValue"]
        return held is not None and comparable(name, low) <= comparable(name, held) <= comparable(name, high)
    if operator not in COMPARISONS:
        raise BadRequest(f"{operator} is no operator of a filter")
    return held is not None and COMPARISONS[operator](comparable(name, held), comparable(name, condition["value"]))


def value_of(contact: dict, name: str) -> str | None:
    """Return a contact's property; a contact without lastmodifieddate was modified when it was updated."""
    if name == "hs_object_id":
        return contact["id"]
    value = contact["properties"].get(name)
    return contact.get("updatedAt") if value is None and name == "lastmodifieddate" else value


def comparable(name: str, value: str) -> Any:
    """Return a property's value as what it is compared by: a number, milliseconds since 1970 for dates, or text."""
    if name == "hs_object_id":
        return int(value)
    if not name.endswith("date"):
        return str(value).lower()
    return int(value) if str(value).isdigit() else round(moment(str(value)).timestamp() * 1000)


def ordering(contact: dict, name: str) -> tuple:
    """Return what contacts are sorted by: the property, those without it first, then the id."""
    value = value_of(contact, name)
    return (value is not None, comparable(name, value) if value is not None else 0, contact["id"])


def read_contacts(systems: Systems, body: dict[str, Any]) -> Answer:
    """HubSpot: contacts by id, with the history that was asked for."""
    query = {name: ",".join(body.get(name, [])) for name in ("properties", "propertiesWithHistory")}
    whole(
        "the number of inputs",
        len(body["inputs"]),
        1,
        MOST_WITH_HISTORY if query["propertiesWithHistory"] else MOST_READ,
    )
    by_id = {str(contact["id"]): contact for contact in systems.contacts if not contact.get("archived")}
    found = [by_id[str(each["id"])] for each in body["inputs"] if str(each["id"]) in by_id]
    return 200, {"status": "COMPLETE", "results": [shown_contact(contact, query) for contact in found]}


def contact_page(contacts: list[dict], query: dict[str, str], following: str | None) -> Answer:
    """Return a page of these contacts, and the cursor to the next one if there is one."""
    page: dict[str, Any] = {"results": [shown_contact(contact, query) for contact in contacts]}
    if following is not None:
        page["paging"] = {"next": {"after": following}}
    return 200, page


def shown_contact(contact: dict, query: dict[str, str]) -> dict:
    """Return a contact with the properties and histories that were asked for, or with the few that HubSpot chooses."""
    asked = [name for name in query.get("properties", "").split(",") if name]
    history = [name for name in query.get("propertiesWithHistory", "").split(",") if name]
    held, past = contact["properties"], contact.get("propertiesWithHistory", {})
    given = [name for name in (ALWAYS_SHOWN if asked else SHOWN_UNASKED) if name in held and name not in asked]
    shown = {**contact, "properties": {name: held.get(name) for name in [*asked, *given]}}
    shown.pop("propertiesWithHistory", None)
    return shown | ({"propertiesWithHistory": {n: past[n] for n in history if n in past}} if history else {})


def list_events(systems: Systems, query: dict[str, str], url: str) -> Answer:
    """Klaviyo: a page of events by time, with their metrics and profiles, and a link to the next."""
    times, events = systems.events_by_time()
    first, last = 0, len(events)
    for operator, asked in conditions(query.get("filter", "")):
        if operator.startswith("greater"):
            place = bisect.bisect_right if operator == "greater-than" else bisect.bisect_left
            first = max(first, place(times, moment(asked)))
        else:
            place = bisect.bisect_left if operator == "less-than" else bisect.bisect_right
            last = min(last, place(times, moment(asked)))
    falling, cursor = query.get("sort") == "-datetime", query.get("page[cursor]", "")
    if query.get("sort", "datetime") not in ("datetime", "-datetime"):
        raise BadRequest(f"events are not sorted by {query['sort']}")
    size = whole("page[size]", query.get("page[size]", DEFAULT_EVENTS), 1, MOST_EVENTS)
    if cursor:
        # It names the last event of the page before, so events that come or go meanwhile do not move it.
        at, _, key = cursor.partition(" ")
        place = bisect.bisect_left if falling else bisect.bisect_right
        here = place(events, (moment(at), key), key=place_of)
        first, last = (first, min(last, here)) if falling else (max(first, here), last)
    page = events[max(first, last - size) : last][::-1] if falling else events[first : min(last, first + size)]
    asked = {name: value for name, value in query.items() if name != "page[cursor]"}
    answer: dict[str, Any] = {"data": page, "links": {"self": f"{url}/api/events?{urlencode(query)}", "next": None}}
    if last - first > size:
        following = f"{place_of(page[-1])[0].isoformat()} {page[-1]['id']}"
        answer["links"]["next"] = f"{url}/api/events?{urlencode(asked | {'page[cursor]': following})}"
    kinds = [kind for kind in query.get("include", "").split(",") if kind]
    keys = {(kind, event["relationships"][kind]["data"]["id"]) for event in page for kind in kinds}
    related = systems.related()
    return 200, answer | {"included": [related[key] for key in sorted(keys) if key in related]}


def place_of(event: dict) -> tuple[datetime, str]:
    """Return what events are sorted by: their time, then their id."""
    return moment(event["attributes"]["datetime"]), str(event["id"])


def conditions(text: str) -> list[tuple[str, str]]:
    """Return operator and time of each condition of Klaviyo's filter, which joins them by commas or in and(…)."""
    inner = text[4:-1] if text.startswith("and(") else text
    found = re.findall(r"(greater-than|greater-or-equal|less-than|less-or-equal)\(datetime,([^)]+)\)", inner)
    if ",".join(f"{operator}(datetime,{asked})" for operator, asked in found) != inner:
        raise BadRequest(f"filter is not understood: {text}")
    return found


def renew_token(systems: Systems, form: dict[str, str]) -> Answer:
    """HubSpot: the token that is good now, for an app that may have one."""
    if form != {"grant_type": "refresh_token", **systems.app}:
        raise BadRequest("missing or unknown client id, client secret or refresh token")
    return 200, {"token_type": "bearer", "access_token": systems.token, "expires_in": 1800}


def list_campaigns(systems: Systems, query: dict[str, str]) -> Answer:
    """Klaviyo: the campaigns of a channel, which has to be named."""
    named = re.fullmatch(r"equals\(messages\.channel,['\"](\w+)['\"]\)", query.get("filter", ""))
    if not named:
        raise BadRequest("A channel filter is required to list campaigns: equals(messages.channel,'email')")
    wanted = [c for c in systems.campaigns if c["attributes"].get("channel", "email") == named[1]]
    return 200, {"data": wanted, "links": {"next": None}}


def list_rates(systems: Systems, span: str, query: dict[str, str]) -> Answer:
    """Frankfurter: the rates of a range of days, to the last when it is open, for a base and some symbols."""
    first, dots, last = span.partition("..")
    base, last = query.get("base", systems.base), last or str(date.max)
    try:
        date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        dots = ""
    known = {systems.base, *(currency for of_day in systems.rates.values() for currency in of_day)}
    symbols = {each for each in query.get("symbols", "").split(",") if each}
    if not dots or base not in known or (symbols and not symbols & known):
        return 404, {"message": "not found"}
    rates = {}
    for day, of_day in systems.rates.items():
        all_rates = {systems.base: 1.0, **of_day}
        if first <= day <= last and base in all_rates:
            crossed = {
                c: rate if base == systems.base else round(rate / all_rates[base], 6) for c, rate in all_rates.items()
            }
            rates[day] = {c: rate for c, rate in crossed.items() if c != base and (not symbols or c in symbols)}
    start, end = min(rates, default=first), max(rates, default=last)
    return 200, {"amount": 1.0, "base": base, "start_date": start, "end_date": end, "rates": rates}
