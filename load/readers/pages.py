"""Pages of HTTP APIs: dlt's REST client asks, the answers are cut up without changing a character.

dlt asks again by itself after 429 (when Retry-After says), 5xx, a reset or a timeout: five times, waiting longer each
time; `RUNTIME__REQUEST_MAX_ATTEMPTS`, `RUNTIME__REQUEST_BACKOFF_FACTOR` and `RUNTIME__REQUEST_TIMEOUT` change that.
A record lands as the very text that the API sent for it: numbers, escapes and the order of keys are not touched.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import requests
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import AuthConfigBase
from dlt.sources.helpers.rest_client.paginators import BasePaginator, SinglePagePaginator

from load.landing import SourceFailed

MOST_PAGES = 100_000
KEY = ("source_key", "content_hash")

_decode = json.JSONDecoder().raw_decode
_space = re.compile(r"[ \t\n\r]*").match


def rest_client(url: str, auth: AuthConfigBase | None = None, headers: dict[str, str] | None = None) -> RESTClient:
    """Return dlt's client for an API, its retries configured under dlt's `runtime`."""
    client = Client(raise_for_status=False)
    client.configure()
    return RESTClient(url, headers=headers, auth=auth, session=client.session)


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
            yield page.response.content.decode(errors="replace")
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
    hashes = [hashlib.sha256(payload.encode()).hexdigest() for payload in payloads]
    return pa.table(
        {
            "payload": pa.array(payloads, pa.string()),
            "source_key": pa.array(keys, pa.string()),
            "content_hash": pa.array(hashes, pa.string()),
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
