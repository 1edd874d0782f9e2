"""Pages of HTTP APIs: dlt's REST client asks, the answers are cut up without changing a character.

A record lands as the very text that the API sent for it: numbers, escapes and the order of keys are not touched.
`RUNTIME__REQUEST_MAX_ATTEMPTS` (5), `RUNTIME__REQUEST_BACKOFF_FACTOR` (1, 2, 4, 8 seconds; 0.5 halves them),
`RUNTIME__REQUEST_MAX_RETRY_DELAY` (300 seconds) and `RUNTIME__REQUEST_TIMEOUT` (60 seconds) say how patient dlt is.

| the API | what is done |
|---|---|
| 429 without Retry-After, 5xx, a reset, a timeout | asked again, five times in all, waiting longer each time |
| 429 or 5xx with Retry-After, seconds or a date | waited as long as it says |
| Retry-After beyond `RUNTIME__REQUEST_MAX_RETRY_DELAY` | fails at once and says how long the API wants to be left |
| goes on failing | fails; what was read lands, without a cursor: the next run starts where the last whole one ended |
| refuses connections, has no such name or no good certificate | asked three times, in three seconds |
| 401, amid the pages too | asked once more with a new token (`Token`), if there is one; else fails as above |
| an answer cut short, also where its length hides it | asked again |
| an answer that is no JSON, or has no list where one belongs | fails and shows how it begins |
| pages that shift while they are read, a record on two of them | lands once; `load.sources` say why none is missed |
| an empty page with a next one | read on |
| a cursor that leads back to a page already read, or a million pages | fails: it would never end |
| a number beyond 64 bits, NaN, a key twice, half a surrogate pair, a NUL | lands to the letter; staging judges it |
| bytes that are not UTF-8 | land in payload_bytes; payload shows U+FFFD in their place |
| fields that come and go | land as they are; a record without a date does not move the cursor |
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import mktime_tz, parsedate_tz
from functools import partial
from typing import Any

import dlt
import pyarrow as pa
import requests
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator, SinglePagePaginator
from tenacity import RetryCallState, stop_any
from urllib3.exceptions import NewConnectionError, ProtocolError, SSLError

from load.landing import SourceFailed
from load.readers.files import as_payload, content_hashes

MOST_PAGES = 1_000_000
MOST_TRIES_TO_CONNECT = 3
KEY = ("source_key", "content_hash")

# Numbers stay text, of any length; a control character in a string is for staging to judge.
_decoder = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)
_decode = _decoder.raw_decode
_space = re.compile(r"[ \t\n\r]*").match
_connection = re.compile(r"^HTTPS?Connection(Pool)?\(.*?\): (Failed to establish a new connection: )?")


def rest_client(
    url: str, auth: requests.auth.AuthBase | None = None, headers: dict[str, str] | None = None
) -> RESTClient:
    """Return dlt's client for an API, its retries configured under dlt's `runtime`."""
    client = Client(raise_for_status=False)
    client.configure()
    retry = client.session.send.retry
    retry.stop = stop_any(retry.stop, _nobody_there)
    return RESTClient(url, headers=headers, auth=auth, session=client.session)


class Token(requests.auth.AuthBase):
    """A token in the Authorization header. A request that is refused is sent once more, if `anew` has another token."""

    def __init__(self, token: str, anew: Callable[[], str], kind: str = "Bearer") -> None:
        """Begin with `token`, or with a new one if it is empty."""
        self.token, self.anew, self.kind = token, anew, kind

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request, and have a look at its answer."""
        self.token = self.token or self.anew()
        request.headers["Authorization"] = f"{self.kind} {self.token}"
        request.register_hook("response", self._again)
        return request

    def _again(self, response: requests.Response, **options: Any) -> requests.Response:
        refused = response.request.headers.get("Authorization")
        if response.status_code != 401 or refused is None:  # on the way to another host requests drops the token
            return response
        if refused == f"{self.kind} {self.token}":
            self.token = self.anew()
        if refused == f"{self.kind} {self.token}":
            return response
        # The connection is free for the second try only when the refusal has been read.
        _ = response.content
        response.close()
        request = response.request.copy()
        request.headers["Authorization"] = f"{self.kind} {self.token}"
        return response.connection.send(request, **options)


def required_token(source: str, token: str) -> str:
    """Return the token, or raise SourceFailed naming the variable to set."""
    token = token.strip()
    # Sent as it is, a line break in it would end in an error that shows the token.
    if not token or not (token.isascii() and token.isprintable()):
        what = "the token holds a character that no token has" if token else "no token is set"
        raise SourceFailed(f"{source}: {what}. Set SOURCES__{source.upper()}__TOKEN.")
    return token


def configured_token(source: str) -> str:
    """Return a source's token as it is configured now: it may have been rotated since the run began."""
    # dlt reads its files once; asking it to read them again would undo what a pipeline has set.
    providers = dlt.current.run_context().initial_providers()
    found = (each.get_value("token", str, "", "sources", source)[0] for each in providers)
    return required_token(source, next(filter(None, found), ""))


def pages(
    source: str,
    client: RESTClient,
    path: str,
    method: str = "GET",
    params: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
    paginator: BasePaginator | None = None,
) -> Iterator[str]:
    """Yield the JSON text of every page of an endpoint, one page alone without a paginator.

    Raises SourceFailed, saying what to do, when the API refuses, cannot be reached, or sends the same cursor again.
    """
    asked: set[int] = set()
    where = f"{source}: {client.base_url} answered {path} with"
    longest = client.session.send.retry.wait.max
    try:
        for page in client.paginate(
            path,
            method=method,
            params=dict(params or {}),
            json=body,
            paginator=paginator or SinglePagePaginator(),
            data_selector="$",
            hooks={"response": [partial(_judge, where, longest)]},
        ):
            yield _text(page.response)
            if not page.paginator.has_next_page:
                return
            following = hash(json.dumps([page.request.url, page.request.params, page.request.json], sort_keys=True))
            if following in asked:
                raise same_cursor(source, path)
            asked.add(following)
            if len(asked) >= MOST_PAGES:
                raise SourceFailed(f"{source}: {path} did not end after {MOST_PAGES:,} pages. What was read lands.")
    except requests.HTTPError as error:
        raise SourceFailed(_refusal(source, where, error.response)) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise SourceFailed(
            f"{where} something that is cut short or no JSON, again and again: {error}. "
            "What was read lands. Run the load again later."
        ) from error
    except requests.RequestException as error:
        raise SourceFailed(
            f"{source}: cannot reach {client.base_url}: {_reason(error)}. "
            f"Check SOURCES__{source.upper()}__URL and that the server answers from here."
        ) from error


def same_cursor(source: str, path: str) -> SourceFailed:
    """Return the failure of an API that would be read for ever."""
    return SourceFailed(
        f"{source}: {path} sent the same cursor again. What was read lands, the next run starts over. "
        "If it happens again, report it to the API's makers."
    )


def decoded(text: str) -> Any:
    """Return what JSON says, numbers as they are written. Raises ValueError where it is no JSON.

    >>> decoded('{"n": 1.50, "limit": NaN}')
    {'n': '1.50', 'limit': nan}
    """
    return _decoder.decode(text)


def within(value: Any, *names: str) -> Any:
    """Return what lies under these names in objects within objects; None where one of them is missing.

    >>> within({"paging": {"next": {"after": "50"}}}, "paging", "next", "after")
    '50'
    """
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def objects(source: str, text: str, key: str, optional: bool = False) -> list[tuple[dict[str, Any], str]]:
    """Return the objects of the array `key` of a JSON answer: parsed, and the very text of each.

    >>> objects("crm", '{"results": [{"id": "1", "n": 1.50}]}', "results")
    [({'id': '1', 'n': '1.50'}, '{"id": "1", "n": 1.50}')]
    """
    lists = [at for name, at, _ in _members(text) if name == key and text[at] == "["]
    if not lists and not optional:
        raise SourceFailed(
            f"{source}: the answer has no list `{key}`, it begins {text[:200]!r}. Is the URL the right API?"
        )
    found = []
    for at in lists:
        position = _space(text, at + 1).end()
        while text[position] != "]":
            value, end = _decode(text, position)
            found.append((value if isinstance(value, dict) else {}, text[position:end]))
            position = _space(text, end).end()
            if text[position] == ",":
                position = _space(text, position + 1).end()
    return found


def moment(text: Any) -> datetime | None:
    """Return an ISO date or time as a moment in UTC; None if it is none."""
    try:
        at = datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def members(text: str) -> list[tuple[str, str]]:
    """Return the members of a JSON object, each value as its very text; a name may come twice.

    >>> members('{"base": "USD", "rates": {"EUR": 0.910}}')
    [('base', '"USD"'), ('rates', '{"EUR": 0.910}')]
    """
    return [(name, text[start:end]) for name, start, end in _members(text)]


def as_records(keys: list[Any], payloads: list[str]) -> pa.Table:
    """Return API records as landing records: the record's own key, its text, the hash of that text."""
    exact = [payload.encode(errors="surrogateescape") for payload in payloads]
    # A key may hold half a character, escaped, which no text column takes.
    readable = [None if key is None else str(key).encode(errors="replace").decode() for key in keys]
    return pa.table(
        {
            **as_payload(pa.array(exact, pa.binary())),
            "source_key": pa.array(readable, pa.string()),
            "content_hash": content_hashes(pa.array(exact, pa.binary())),
        }
    )


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    position = _space(text, 0).end()
    if text[position : position + 1] != "{":
        return
    position = _space(text, position + 1).end()
    while text[position] != "}":
        name, end = _decode(text, position)
        start = _space(text, _space(text, end).end() + 1).end()
        _, end = _decode(text, start)
        yield name, start, end
        position = _space(text, end).end()
        if text[position] == ",":
            position = _space(text, position + 1).end()


def _text(response: requests.Response) -> str:
    return response.content.decode("utf-8-sig", errors="surrogateescape")


def _judge(where: str, longest: float, response: requests.Response, **_: Any) -> None:
    """Let a good answer be read as JSON; raise SourceFailed for what is final, or what dlt asks again after."""
    if response.is_redirect:
        return
    if response.status_code >= 400:
        wait = _wait_asked(response.headers.get("Retry-After", ""))
        if wait > longest and (response.status_code == 429 or response.status_code >= 500):
            raise SourceFailed(
                f"{where} {response.status_code} {response.reason}: it wants to be left alone for {wait:,.0f} seconds, "
                f"longer than RUNTIME__REQUEST_MAX_RETRY_DELAY ({longest:,.0f}). Run the load again after that."
            )
        response.raise_for_status()
    text = _text(response)
    try:
        answer = decoded(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip()[:1] in ("", "{", "["):
            raise requests.exceptions.ChunkedEncodingError(f"{error}, it ends {text[-100:]!r}") from error
        raise SourceFailed(
            f"{where} something that is not JSON, it begins {text[:200]!r}. Is the URL the right API?"
        ) from error
    response.json = lambda: answer


def _wait_asked(retry_after: str) -> float:
    """Return the seconds that a Retry-After header asks for, 0 without one. Source: RFC 9110, 10.2.3."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    date = parsedate_tz(retry_after)
    return mktime_tz(date) - time.time() if date else 0


def _nobody_there(state: RetryCallState) -> bool:
    """Return whether to stop asking: what refuses connections, or has no name, will do so in a minute, too."""
    error = state.outcome.exception()
    reason = getattr(error.args[0], "reason", None) if error and error.args else None
    return state.attempt_number >= MOST_TRIES_TO_CONNECT and isinstance(reason, NewConnectionError | SSLError)


def _refusal(source: str, where: str, response: requests.Response) -> str:
    what = f"{where} {response.status_code} {response.reason}"
    if response.status_code in (401, 403):
        return f"{what}: the token is wrong, has expired or may not read this. Set SOURCES__{source.upper()}__TOKEN."
    if response.status_code == 404:
        return f"{what}. Check SOURCES__{source.upper()}__URL."
    if response.status_code == 429 or response.status_code >= 500:
        return f"{what}, again and again. What was read lands. Run the load again later."
    return f"{what}: {response.text[:300]}"


def _reason(error: requests.RequestException) -> str:
    # requests wraps urllib3 wraps the one sentence a person wants to read.
    inner = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    if isinstance(inner, ProtocolError):
        inner = inner.args[-1]
    return _connection.sub("", str(inner))
