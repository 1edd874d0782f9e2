"""The CRM, the marketing platform and the exchange rates over HTTP, as HubSpot, Klaviyo and Frankfurter speak.

A real server on this machine: it pages, wants its token (the rates want none), and can be told to fail. From a test:

    with serve(Systems(contacts=[…], token="secret")) as server:
        server.fail("/crm", 429, times=2, retry_after=1)
        requests.get(f"{server.url}/crm/v3/objects/contacts", headers={"Authorization": "Bearer secret"})
        server.requests  # what was asked for
        server.clear()  # no more faults
        server.after_answer = lambda server: server.systems.contacts.pop()  # what happens between two pages

From outside: `POST /_control` with `{"prefix": "/crm", "fault": 429, "times": 2, "retry_after": 1}`, or with
`{"clear": true}`. A fault is due for the next `times` requests whose path begins with `prefix`, and is one of

| fault | the server |
|---|---|
| a status, as 429, 500, 503 | answers it, with a Retry-After header of `retry_after`, seconds or a date, if given |
| `reset` | breaks the connection off |
| `slow` | waits `seconds` (2) and then answers well |
| `cut` | sends half of the answer and hangs up |
| `half` | sends half of the answer as if it were the whole |
| `empty` | answers well, but with nothing on the page; the next one holds what it should have held |
| `login` | sends a page of HTML, as something on the way would |
| `expired` | answers 401, as to a token that has run out |
| `repeat` | answers well, but the cursor to the next page leads to the same page |
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from sample.systems.answers import (
    CONTACTS,
    TOKEN,
    Answer,
    BadRequest,
    Systems,
    list_campaigns,
    list_contacts,
    list_events,
    list_rates,
    read_contacts,
    renew_token,
    search_contacts,
)

__all__ = ["TOKEN", "Server", "Systems", "serve"]

FAULTS = ("reset", "slow", "cut", "half", "empty", "login", "expired", "repeat")
OAUTH = "/oauth/v1/token"
LOGIN = b"<!doctype html><title>Log in</title>"
CUT_OFF = struct.pack("ii", 1, 0)  # SO_LINGER: on, no seconds; closing then resets the connection


@dataclass
class Fault:
    """How to fail the next `times` requests below `prefix`."""

    prefix: str
    kind: str
    times: int
    retry_after: float | str | None
    seconds: float


class Server:
    """A running server: where it is, what it was asked, and how it is told to fail."""

    def __init__(self, systems: Systems, port: int = 0) -> None:
        """Bind to a port of 127.0.0.1, 0 for a free one; `serve` starts and ends it. OSError: it is taken."""
        self.systems, self.requests, self._faults = systems, [], []
        self.after_answer: Callable[[Server], None] | None = None
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Handler,), {"server_of": self}))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def fail(
        self, prefix: str, fault: int | str, times: int = 1, retry_after: float | str | None = None, seconds: float = 2
    ) -> None:
        """Answer the next `times` requests below `prefix` with `fault`, one of those that the module's docstring lists.

        Raises ValueError for any other.
        """
        kind = str(fault)
        if kind not in FAULTS and not (kind.isdigit() and 400 <= int(kind) <= 599):
            raise ValueError(f"{kind} is no fault: a status from 400 to 599, {', '.join(FAULTS)}")
        with self._lock:
            self._faults.append(Fault(prefix, kind, times, retry_after, seconds))

    def clear(self) -> None:
        """Forget the faults that are still due."""
        with self._lock:
            self._faults.clear()

    def fault_for(self, path: str) -> Fault | None:
        """Take the fault that is due for a request, if there is one."""
        with self._lock:
            for fault in self._faults:
                if path.startswith(fault.prefix) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Answer:
        """Return status and content for a request that has its token and its headers."""
        answers = {
            ("GET", CONTACTS): lambda: list_contacts(self.systems, query),
            ("POST", f"{CONTACTS}/search"): lambda: search_contacts(self.systems, body),
            ("POST", f"{CONTACTS}/batch/read"): lambda: read_contacts(self.systems, body),
            ("GET", "/api/events"): lambda: list_events(self.systems, query, self.url),
            ("GET", "/api/campaigns"): lambda: list_campaigns(self.systems, query),
            ("POST", OAUTH): lambda: renew_token(self.systems, body),
        }
        try:
            if method == "GET" and path.startswith("/v1/"):
                return list_rates(self.systems, path.removeprefix("/v1/"), query)
            if (method, path) in answers:
                return answers[method, path]()
        except BadRequest as error:
            return 400, complaint(path, str(error))
        except (KeyError, TypeError, AttributeError) as error:
            return 400, complaint(path, f"The request's body lacks something, or has it in the wrong place: {error}")
        if any(known == path for _, known in answers):
            return 405, complaint(path, f"{path} does not take {method}")
        return 404, complaint(path, f"There is nothing at {path}")


def complaint(path: str, message: str) -> dict[str, Any]:
    """Return an error as the system at `path` words it: Klaviyo lists errors, the others have a message."""
    if path.startswith("/api/"):
        return {"errors": [{"detail": message}], "message": message}
    return {"status": "error", "message": message}


def led_back(content: dict[str, Any], here: str, after: str, empty: bool) -> dict[str, Any]:
    """Return a page whose cursor leads to itself; or an empty one, which names the same place by another cursor."""
    if "results" in content and (empty or "paging" in content):
        content["paging"] = {"next": {"after": f"0{after}" if empty else after}}
    if "links" in content and (empty or content["links"]["next"]):
        content["links"]["next"] = f"{here}{'&' if '?' in here else '?'}again=1" if empty else here
    return content | ({name: [] for name in ("results", "data", "included") if name in content} if empty else {})


class Handler(BaseHTTPRequestHandler):
    """One request: fault, token, answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet: two would wait for each other
    server_of: Server

    def do_GET(self) -> None:
        """Answer a GET."""
        self.respond({})

    def do_POST(self) -> None:
        """Answer a POST with a JSON body, or a form where OAuth wants one."""
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = dict(parse_qsl(sent.decode())) if self.path == OAUTH else json.loads(sent or b"{}")
        except ValueError:
            body = None
        if isinstance(body, dict):
            self.respond(body)
        else:
            self.send(400, complaint(self.path, "The body is no JSON object."))

    def respond(self, body: dict[str, Any]) -> None:
        """Answer a request, or fail as told."""
        server, asked = self.server_of, urlsplit(self.path)
        if asked.path == "/_control":
            self.control(body)
            return
        server.requests.append(self.path)
        fault = server.fault_for(asked.path) or Fault("", "", 0, None, 0)
        if fault.kind == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CUT_OFF)
            self.connection.close()
            return
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault.kind.isdigit():
            wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            self.send(int(fault.kind), complaint(asked.path, f"told to answer {fault.kind}"), wait)
            return
        key = self.headers.get("Authorization", "").rpartition(" ")[2]
        open_to_all = asked.path.startswith("/v1/") or asked.path == OAUTH
        if fault.kind == "expired" or (not open_to_all and key != server.systems.token):
            self.send(401, complaint(asked.path, "The token is missing, wrong or expired."))
            return
        if asked.path.startswith("/api/") and not self.headers.get("revision"):
            self.send(400, complaint(asked.path, "The revision header is missing."))
            return
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        status, content = server.answer(self.command, asked.path, query, body)
        if fault.kind in ("repeat", "empty"):
            here, after = f"{server.url}{self.path}", query.get("after") or str(body.get("after") or 0)
            content = led_back(content, here, after, fault.kind == "empty")
        if server.after_answer:
            server.after_answer(server)  # before it is sent: whoever asks next must not be quicker
        self.send(status, LOGIN if fault.kind == "login" else content, fault=fault.kind)

    def control(self, body: dict[str, Any]) -> None:
        """Take an order to fail, or to fail no more."""
        server = self.server_of
        try:
            if body.get("clear"):
                server.clear()
            else:
                server.fail(**body)
        except (TypeError, ValueError) as error:
            self.send(400, complaint("/_control", str(error)))
            return
        self.send(200, {})

    def send(
        self, status: int, content: dict[str, Any] | bytes, headers: dict[str, str] | None = None, fault: str = ""
    ) -> None:
        """Send a JSON answer, or bytes as they stand; half of it where the fault is `cut` or `half`."""
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = text[: len(text) // 2] if fault in ("cut", "half") else text
        self.send_response(status)
        own = {"Content-Type": "application/json", "Content-Length": str(len(text if fault == "cut" else sent))}
        for name, value in {**own, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)
        self.close_connection = self.close_connection or fault == "cut"

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
