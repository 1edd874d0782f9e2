"""Pages of HTTP APIs: dlt's REST client asks, the answers are cut up without changing a character.

dlt asks again by itself after 429 (when Retry-After says), 5xx, a reset or a timeout: five times, waiting longer each
time; `RUNTIME__REQUEST_MAX_ATTEMPTS`, `RUNTIME__REQUEST_BACKOFF_FACTOR` and `RUNTIME__REQUEST_TIMEOUT` change that.
A record lands as the very text that the API sent for it: numbers, escapes and the order of keys are not touched.

| the API | what is done |
|---|---|
| 429, with Retry-After or without | waited as long as it says, or longer and longer; five minutes at most |
| 5xx, a reset, a timeout, an answer cut short | asked again, five times in all |
| goes on failing | what was read lands, without a cursor: the next run starts from where the last complete one ended |
| 401 amid the pages | a token that can be renewed is (`RenewedToken`), and the page asked for again; else as above |
| pages that shift while they are read, a record on two of them | lands once |
| an empty page with a next one | read on |
| the same cursor again, or 100,000 pages | as above: it would never end |
| bytes that are not UTF-8 | in payload_bytes, U+FFFD in payload |
| an answer that is no JSON, or has no list where one belongs | the source fails and shows how the answer begins |
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import requests
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator, SinglePagePaginator

from load.landing import SourceFailed
from load.readers.files import as_payload, content_hashes

MOST_PAGES = 100_000
KEY = ("source_key", "content_hash")

_decode = json.JSONDecoder().raw_decode
_space = re.compile(r"[ \t\n\r]*").match


def rest_client(
    url: str, auth: requests.auth.AuthBase | None = None, headers: dict[str, str] | None = None
) -> RESTClient:
    """Return dlt's client for an API, its retries configured under dlt's `runtime`."""
    client = Client(raise_for_status=False)
    client.configure()
    return RESTClient(url, headers=headers, auth=auth, session=client.session)


class RenewedToken(requests.auth.AuthBase):
    """A bearer token that expires: a request that is refused gets a new one from `renew`, once."""

    def __init__(self, token: str, renew: Callable[[], str]) -> None:
        """Begin with `token`, or with a new one if it is empty."""
        self.renew = renew
        self.token = token or renew()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request, and have a look at its answer."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        request.register_hook("response", self._again)
        return request

    def _again(self, response: requests.Response, **options: Any) -> requests.Response:
        if response.status_code != 401:
            return response
        response.close()
        self.token = self.renew()
        request = response.request.copy()
        request.headers["Authorization"] = f"Bearer {self.token}"
        return response.connection.send(request, **options)


def required_token(source: str, token: str) -> str:
    """Return the token, or raise SourceFailed naming the variable to set."""
    if not token:
        raise SourceFailed(f"{source}: no token is set. Set SOURCES__{source.upper()}__TOKEN.")
    return token


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
    asked: set[str] = set()
    try:
        for page in client.paginate(
            path,
            method=method,
            params=dict(params or {}),
            json=body,
            paginator=paginator or SinglePagePaginator(),
            data_selector="$",
        ):
            yield page.response.content.decode(errors="surrogateescape")
            following = json.dumps([page.request.url, page.request.params, page.request.json], sort_keys=True)
            if paginator and paginator.has_next_page and following in asked:
                raise SourceFailed(
                    f"{source}: {path} sent the same cursor again after {len(asked):,} pages; what was read lands. "
                    "The next run starts over; if it happens again, report it to the API's makers."
                )
            asked.add(following)
            if len(asked) >= MOST_PAGES:
                raise SourceFailed(f"{source}: {path} did not end after {MOST_PAGES:,} pages; what was read lands.")
    except requests.HTTPError as error:
        raise SourceFailed(_refusal(source, client, path, error.response)) from error
    except requests.JSONDecodeError as error:
        raise SourceFailed(
            f"{source}: {client.base_url} answered {path} with something that is not JSON: {error}"
        ) from error
    except requests.RequestException as error:
        raise SourceFailed(
            f"{source}: cannot reach {client.base_url}: {_reason(error)}. "
            f"Check SOURCES__{source.upper()}__URL and that the server answers from here."
        ) from error


def objects(source: str, text: str, key: str, optional: bool = False) -> list[tuple[dict[str, Any], str]]:
    """Return the objects of the array `key` of a JSON answer: parsed, and the very text of each.

    >>> objects("crm", '{"results": [{"id": "1", "n": 1.50}]}', "results")
    [({'id': '1', 'n': 1.5}, '{"id": "1", "n": 1.50}')]
    """
    at = dict(_members(text)).get(key)
    if at is None or text[at[0]] != "[":
        if optional:
            return []
        raise SourceFailed(
            f"{source}: the answer has no list `{key}`; it begins {text[:200]!r}. Is the URL the right API?"
        )
    found = []
    position = _space(text, at[0] + 1).end()
    while text[position] != "]":
        value, end = _decode(text, position)
        found.append((value if isinstance(value, dict) else {}, text[position:end]))
        position = _space(text, end).end()
        if text[position] == ",":
            position = _space(text, position + 1).end()
    return found


def moment(text: str | None) -> datetime | None:
    """Return an ISO date or time as a moment in UTC; None if it is none."""
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def members(text: str) -> dict[str, str]:
    """Return the members of a JSON object, each value as its very text.

    >>> members('{"base": "USD", "rates": {"EUR": 0.910}}')
    {'base': '"USD"', 'rates': '{"EUR": 0.910}'}
    """
    return {key: text[start:end] for key, (start, end) in _members(text)}


def as_records(keys: list[str], payloads: list[str]) -> pa.Table:
    """Return API records as landing records: the record's own key, its text, the hash of that text."""
    exact = [payload.encode(errors="surrogateescape") for payload in payloads]
    return pa.table(
        {
            **as_payload(pa.array(exact, pa.binary())),
            # A key may hold half a character, escaped, which no text column takes.
            "source_key": pa.array([key.encode(errors="replace").decode() for key in keys], pa.string()),
            "content_hash": content_hashes(pa.array(exact, pa.binary())),
        }
    )


def _members(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    position = _space(text, 0).end()
    if text[position : position + 1] != "{":
        return
    position = _space(text, position + 1).end()
    while text[position] != "}":
        key, end = _decode(text, position)
        start = _space(text, _space(text, end).end() + 1).end()
        _, end = _decode(text, start)
        yield key, (start, end)
        position = _space(text, end).end()
        if text[position] == ",":
            position = _space(text, position + 1).end()


def _refusal(source: str, client: RESTClient, path: str, response: requests.Response) -> str:
    where = f"{source}: {client.base_url} answered {path} with {response.status_code} {response.reason}"
    if response.status_code in (401, 403):
        return f"{where}: the token is wrong, has expired or may not read this. Set SOURCES__{source.upper()}__TOKEN."
    if response.status_code == 404:
        return f"{where}. Check SOURCES__{source.upper()}__URL."
    if response.status_code == 429 or response.status_code >= 500:
        return f"{where}, again and again. Run the load again later; what was read lands."
    return f"{where}: {response.text[:300]}"


def _reason(error: BaseException) -> str:
    # requests wraps urllib3 wraps the one sentence a person wants to read.
    inner = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    return str(inner).rsplit(": ", 1)[-1].strip("')\" ")
