"""The CRM, the marketing platform and the exchange rates over HTTP, as HubSpot, Klaviyo and Frankfurter speak.

A real server on this machine: it pages, wants its token, and can be told to fail. From a test:

    with serve(Systems(contacts=[…], token="secret")) as server:
        server.fail("/crm", 429, times=2, retry_after=1)
        requests.get(f"{server.url}/crm/v3/objects/contacts", headers={"Authorization": "Bearer secret"})

From outside: `POST /_control` with `{"prefix": "/crm", "fault": 429, "times": 2, "retry_after": 1}`. A fault is a
status (429, 500, 503, …), `reset` (the connection breaks), `slow` (the answer takes two seconds), `expired` (401, as
for a token that has run out) or `repeat` (the page's cursor points to the page itself).
"""

import bisect
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

CONTACTS = "/crm/v3/objects/contacts"
SEARCH_CEILING = 10_000
TOKEN = "sample-token"
Answer = tuple[int, dict[str, Any]]


@dataclass
class Systems:
    """What the server holds: records as each system sends them, and the token it wants."""

    contacts: list[dict] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)
    metrics: list[dict] = field(default_factory=list)
    profiles: list[dict] = field(default_factory=list)
    campaigns: list[dict] = field(default_factory=list)
    rates: dict[str, dict[str, float]] = field(default_factory=dict)
    base: str = "USD"
    token: str = TOKEN

    @classmethod
    def from_folder(cls, folder: Path) -> "Systems":
        """Read the files that `sample.systems.api` wrote below `folder`."""

        def lines(name: str) -> list[dict]:
            return [json.loads(line) for line in (folder / name).read_text().splitlines()]

        rates = json.loads((folder / "rates.json").read_text())
        marketing = {name: lines(f"marketing_{name}.jsonl") for name in ("events", "metrics", "profiles", "campaigns")}
        return cls(contacts=lines("contacts.jsonl"), rates=rates["rates"], base=rates["base"], **marketing)

    @cached_property
    def contacts_by_id(self) -> dict[str, dict]:
        """Contacts by their id."""
        return {contact["id"]: contact for contact in self.contacts}

    @cached_property
    def events_by_time(self) -> tuple[list[str], list[dict]]:
        """The times of the events, sorted, and the events in that order."""
        ordered = sorted(self.events, key=lambda event: (event["attributes"]["datetime"], event["id"]))
        return [event["attributes"]["datetime"] for event in ordered], ordered

    @cached_property
    def related(self) -> dict[tuple[str, str], dict]:
        """Metrics and profiles by type and id."""
        return {(each["type"], each["id"]): each for each in [*self.metrics, *self.profiles]}


def list_contacts(systems: Systems, query: dict[str, str]) -> Answer:
    """HubSpot: a page of the contacts, or of the archived ones."""
    archived = query.get("archived") == "true"
    wanted = [contact for contact in systems.contacts if bool(contact.get("archived")) == archived]
    return contact_page(wanted, query, int(query.get("limit", 10)), query.get("after"))


def search_contacts(systems: Systems, body: dict[str, Any]) -> Answer:
    """HubSpot: a page of the contacts that were modified since, oldest first; no more than 10,000 in all."""
    start, limit = int(body.get("after") or 0), int(body.get("limit", 10))
    if start + limit > SEARCH_CEILING:
        message = "The paging offset and limit exceed the maximum of 10000 results for a search."
        return 400, {"status": "error", "message": message}
    found = [contact for contact in systems.contacts if not contact.get("archived")]
    for condition in (f for group in body.get("filterGroups", []) for f in group["filters"]):
        bound = int(condition["value"])
        compare = {"GTE": int.__ge__, "GT": int.__gt__, "LTE": int.__le__, "LT": int.__lt__}[condition["operator"]]
        found = [contact for contact in found if compare(modified(contact), bound)]
    found.sort(key=lambda contact: (modified(contact), contact["id"]))
    status, page = contact_page(found, {"properties": ",".join(body.get("properties", []))}, limit, str(start))
    return status, {"total": len(found), **page}


def read_contacts(systems: Systems, body: dict[str, Any]) -> Answer:
    """HubSpot: contacts by id, with the history that was asked for."""
    query = {name: ",".join(body.get(name, [])) for name in ("properties", "propertiesWithHistory")}
    found = [systems.contacts_by_id[each["id"]] for each in body["inputs"] if each["id"] in systems.contacts_by_id]
    return 200, {"status": "COMPLETE", "results": [shown_contact(contact, query) for contact in found]}


def contact_page(contacts: list[dict], query: dict[str, str], limit: int, after: str | None) -> Answer:
    """Return one page of `contacts` and where the next one begins."""
    start = int(after or 0)
    page: dict[str, Any] = {"results": [shown_contact(contact, query) for contact in contacts[start : start + limit]]}
    if start + limit < len(contacts):
        page["paging"] = {"next": {"after": str(start + limit)}}
    return 200, page


def shown_contact(contact: dict, query: dict[str, str]) -> dict:
    """Return a contact with the properties and the histories that were asked for; all properties when none was."""
    asked = [name for name in query.get("properties", "").split(",") if name]
    history = [name for name in query.get("propertiesWithHistory", "").split(",") if name]
    shown = {
        **contact,
        "properties": {name: contact["properties"].get(name) for name in asked or contact["properties"]},
    }
    past = contact.get("propertiesWithHistory", {})
    shown["propertiesWithHistory"] = {name: past[name] for name in history if name in past}
    return shown if history else {name: value for name, value in shown.items() if name != "propertiesWithHistory"}


def modified(contact: dict) -> int:
    """Return when a contact was last modified, in milliseconds since 1970."""
    moment = datetime.fromisoformat(contact["properties"].get("lastmodifieddate") or contact["updatedAt"])
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def list_events(systems: Systems, query: dict[str, str], url: str) -> Answer:
    """Klaviyo: a page of events by time, with their metrics and profiles, and a link to the next."""
    times, events = systems.events_by_time
    start = 0
    condition = re.fullmatch(r"(greater-than|greater-or-equal)\(datetime,([^)]+)\)", query.get("filter", ""))
    if query.get("filter") and not condition:
        return 400, {"errors": [{"detail": f"filter is not understood: {query['filter']}"}]}
    if condition:
        place = bisect.bisect_right if condition[1] == "greater-than" else bisect.bisect_left
        since = datetime.fromisoformat(condition[2]).astimezone(UTC)
        start = place(times, f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}Z")
    start, size = max(start, int(query.get("page[cursor]", 0))), int(query.get("page[size]", 1000))
    page = events[start : start + size]
    answer: dict[str, Any] = {"data": page, "links": {"self": url, "next": None}}
    if start + size < len(events):
        kept = "".join(f"&{quote(k)}={quote(v)}" for k, v in query.items() if k != "page[cursor]")
        answer["links"]["next"] = f"{url}/api/events?page%5Bcursor%5D={start + size}{kept}"
    kinds = [kind for kind in query.get("include", "").split(",") if kind]
    keys = {(kind, event["relationships"][kind]["data"]["id"]) for event in page for kind in kinds}
    answer["included"] = [systems.related[key] for key in sorted(keys) if key in systems.related]
    return 200, answer


def list_rates(systems: Systems, span: str, query: dict[str, str]) -> Answer:
    """Frankfurter: the rates of a range of days, for a base and some symbols."""
    first, _, last = span.partition("..")
    base, last = query.get("base", systems.base), last or "9999"
    symbols = {each for each in query.get("symbols", "").split(",") if each}
    rates = {}
    for day, of_day in systems.rates.items():
        if first <= day <= last:
            all_rates = {systems.base: 1.0, **of_day}
            crossed = {
                c: rate if base == systems.base else round(rate / all_rates[base], 6) for c, rate in all_rates.items()
            }
            rates[day] = {c: rate for c, rate in crossed.items() if c != base and (not symbols or c in symbols)}
    return 200, {
        "amount": 1.0,
        "base": base,
        "start_date": min(rates, default=first),
        "end_date": max(rates, default=last),
        "rates": rates,
    }


class Server:
    """A running server: where it is, what it was asked, and how it is told to fail."""

    def __init__(self, systems: Systems, port: int = 0) -> None:
        """Bind to a port of 127.0.0.1; `serve` starts and ends it."""
        self.systems, self.requests, self._faults = systems, [], []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Handler,), {"server_of": self}))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def fail(self, prefix: str, fault: int | str, times: int = 1, retry_after: float | None = None) -> None:
        """Answer the next `times` requests below `prefix` with `fault`, one of those the module's docstring lists."""
        with self._lock:
            self._faults.append([prefix, str(fault), times, retry_after])

    def fault_for(self, path: str) -> tuple[str, float | None] | None:
        """Take the fault that is due for a request, if there is one."""
        with self._lock:
            for fault in self._faults:
                if path.startswith(fault[0]) and fault[2] > 0:
                    fault[2] -= 1
                    return fault[1], fault[3]
        return None

    def answer(self, path: str, query: dict[str, str], body: dict[str, Any]) -> Answer:
        """Return status and content for a good request."""
        if path == CONTACTS:
            return list_contacts(self.systems, query)
        if path == f"{CONTACTS}/search":
            return search_contacts(self.systems, body)
        if path == f"{CONTACTS}/batch/read":
            return read_contacts(self.systems, body)
        if path == "/api/events":
            return list_events(self.systems, query, self.url)
        if path == "/api/campaigns":
            return 200, {"data": self.systems.campaigns, "links": {"next": None}}
        if path.startswith("/v1/"):
            return list_rates(self.systems, path.removeprefix("/v1/"), query)
        return 404, {"message": f"There is nothing at {path}"}


class Handler(BaseHTTPRequestHandler):
    """One request: fault, token, answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet: two would wait for each other
    server_of: Server

    def do_GET(self) -> None:
        """Answer a GET."""
        self.respond({})

    def do_POST(self) -> None:
        """Answer a POST with a JSON body."""
        self.respond(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"))

    def respond(self, body: dict[str, Any]) -> None:
        """Answer a request, or fail as told."""
        server, asked = self.server_of, urlsplit(self.path)
        if asked.path == "/_control":
            server.fail(body["prefix"], body["fault"], body.get("times", 1), body.get("retry_after"))
            self.send(200, {})
            return
        server.requests.append(self.path)
        fault, retry_after = server.fault_for(asked.path) or ("", None)
        if fault == "reset":
            self.close_connection = True
            self.connection.close()
            return
        if fault == "slow":
            time.sleep(2)
        if fault.isdigit():
            wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
            self.send(int(fault), {"message": f"told to answer {fault}"}, wait)
            return
        key = self.headers.get("Authorization", "").rpartition(" ")[2]
        if fault == "expired" or (not asked.path.startswith("/v1/") and key != server.systems.token):
            self.send(401, {"message": "The token is missing, wrong or expired."})
            return
        if asked.path.startswith("/api/") and not self.headers.get("revision"):
            self.send(400, {"errors": [{"detail": "The revision header is missing."}]})
            return
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        status, content = server.answer(asked.path, query, body)
        if fault == "repeat" and "paging" in content:
            content["paging"]["next"]["after"] = query.get("after", "0")
        if fault == "repeat" and (content.get("links") or {}).get("next"):
            content["links"]["next"] = f"{server.url}{self.path}"
        self.send(status, content)

    def send(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Send a JSON answer."""
        text = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(text)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Keep quiet: what is asked is in `Server.requests`."""


@contextmanager
def serve(systems: Systems, port: int = 0) -> Iterator[Server]:
    """Serve `systems` on 127.0.0.1 while the context lasts; port 0 takes a free one."""
    server = Server(systems, port)
    thread = threading.Thread(target=server._http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server._http.shutdown()
        server._http.server_close()
