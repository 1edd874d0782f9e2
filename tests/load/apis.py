"""Three small APIs in one HTTP server, as their documentation describes them, that can be told to misbehave.

Only what the loaders rely on: HubSpot's contacts (list, search with its ceiling, batch/read), Klaviyo's events and
campaigns, Frankfurter's rates. `faults` are answered first, one a request, before any good answer.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CONTACTS = "/crm/v3/objects/contacts"


def contact(number: int, modified: str, archived: bool = False, **properties: Any) -> dict[str, Any]:
    """A contact as HubSpot sends it."""
    values = {"email": f"c{number}@example.com", "lastmodifieddate": modified, **properties}
    history = {name: [{"value": value, "timestamp": modified}] for name, value in values.items()}
    return {
        "id": str(number),
        "properties": values,
        "propertiesWithHistory": history,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": modified,
        "archived": archived,
    }


def event(number: int, at: str, profile: str = "P1") -> dict[str, Any]:
    """An event as Klaviyo sends it."""
    related = {
        "metric": {"data": {"type": "metric", "id": "M1"}},
        "profile": {"data": {"type": "profile", "id": profile}},
    }
    return {"type": "event", "id": f"E{number}", "attributes": {"datetime": at}, "relationships": related}


@dataclass
class Apis:
    """What the server holds, what it was asked, and how it is to misbehave."""

    contacts: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    campaigns: list[dict[str, Any]] = field(default_factory=list)
    rates: dict[str, str] = field(default_factory=dict)
    token: str = "secret"
    page: int = 50
    ceiling: int = 10_000
    faults: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    repeat_cursor: bool = False
    after_page: Any = None
    url: str = ""

    def answer(self, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, str]:
        """The status and the text for one request."""
        if path == CONTACTS:
            listed = [each for each in self.contacts if each["archived"] == (query.get("archived") == "true")]
            return 200, self._contacts(listed, int(query.get("after", 0)), int(query["limit"]))
        if path == f"{CONTACTS}/search":
            (condition,) = body["filterGroups"][0]["filters"]
            since = datetime.fromtimestamp(int(condition["value"]) / 1000, UTC)
            changed = [each for each in self.contacts if not each["archived"] and _modified(each) >= since]
            after = int(body.get("after", 0))
            if after + body["limit"] > self.ceiling:
                return 400, json.dumps({"message": "paging past the ceiling"})
            return 200, self._contacts(sorted(changed, key=_modified), after, body["limit"])
        if path == f"{CONTACTS}/batch/read":
            wanted = {each["id"] for each in body["inputs"]}
            return 200, json.dumps({"results": [each for each in self.contacts if each["id"] in wanted]})
        if path == "/api/campaigns":
            return 200, json.dumps({"data": self.campaigns, "links": {"next": None}})
        if path == "/api/events":
            return 200, self._events(query)
        first, last = path.removeprefix("/v1/").split("..")
        rates = ", ".join(f'"{day}": {of_day}' for day, of_day in self.rates.items() if first <= day <= last)
        return (
            200,
            f'{{"amount": 1.0, "base": "USD", "start_date": "{first}", "end_date": "{last}", "rates": {{{rates}}}}}',
        )

    def _contacts(self, contacts: list[dict[str, Any]], after: int, limit: int) -> str:
        answer: dict[str, Any] = {"total": len(contacts), "results": contacts[after : after + limit]}
        if after + limit < len(contacts):
            answer["paging"] = {"next": {"after": str(0 if self.repeat_cursor else after + limit)}}
        return json.dumps(answer)

    def _events(self, query: dict[str, str]) -> str:
        after = query.get("filter", "greater-than(datetime,)").removeprefix("greater-than(datetime,").rstrip(")")
        events = sorted(
            (each for each in self.events if each["attributes"]["datetime"] > after),
            key=lambda each: each["attributes"]["datetime"],
        )
        start = int(query.get("page[cursor]", 0))
        shown = events[start : start + self.page]
        profiles = {each["relationships"]["profile"]["data"]["id"] for each in shown}
        included = [{"type": "metric", "id": "M1", "attributes": {"name": "Opened Email"}}] if shown else []
        included += [
            {"type": "profile", "id": each, "attributes": {"email": f"{each}@example.com"}} for each in profiles
        ]
        following = f"{self.url}/api/events?page%5Bcursor%5D={start + self.page}&filter=greater-than(datetime,{after})"
        more = following if start + self.page < len(events) else None
        return json.dumps({"data": shown, "included": included, "links": {"next": more}})


def _modified(each: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(each["properties"]["lastmodifieddate"])


@contextmanager
def serving(apis: Apis) -> Iterator[Apis]:
    """Serve the APIs on a free port of this machine; `apis.url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if urlsplit(self.path).path == "/oauth/v1/token":
                apis.asked.append("/oauth/v1/token")
                given = {name: values[0] for name, values in parse_qs(sent).items()}
                wanted = {"client_id": "app", "client_secret": "s", "refresh_token": "r"}
                good = given == {"grant_type": "refresh_token", **wanted}
                self.send(200 if good else 400, json.dumps({"access_token": apis.token, "expires_in": 1800}))
                return
            self.respond(json.loads(sent))

        def respond(self, body: dict[str, Any]) -> None:
            asked = urlsplit(self.path)
            apis.asked.append(asked.path)
            fault = apis.faults.pop(0) if apis.faults else ""
            if fault == "reset":
                self.hang_up()
                return
            if fault == "half":
                self.send(200, '{"results": [', declared=1000)
                self.hang_up()
                return
            if fault == "slow":
                time.sleep(1)
                self.hang_up()
                return
            if fault:
                status, _, retry_after = fault.partition(" ")
                self.send(int(status), "{}", {"Retry-After": retry_after} if retry_after else {})
                return
            if not asked.path.startswith("/v1/") and not self.headers.get("Authorization", "").endswith(
                f" {apis.token}"
            ):
                self.send(401, "{}")
                return
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            self.send(*apis.answer(asked.path, query, body))
            if apis.after_page:
                apis.after_page(apis)

        def send(
            self, status: int, text: str, headers: dict[str, str] | None = None, declared: int | None = None
        ) -> None:
            content = text.encode(errors="surrogateescape")
            self.send_response(status)
            for name, value in {"Content-Length": str(declared or len(content)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def hang_up(self) -> None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    apis.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield apis
    finally:
        server.shutdown()
        server.server_close()
