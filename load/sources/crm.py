"""Contacts: HubSpot CRM v3.

Where: `SOURCES__CRM__URL` (https://api.hubapi.com) and `SOURCES__CRM__TOKEN`, a private app's token; or, for an app
whose tokens expire, `SOURCES__CRM__CLIENT_ID`, `SOURCES__CRM__CLIENT_SECRET` and `SOURCES__CRM__REFRESH_TOKEN`.
Pages: at first the whole list, 50 a page (more HubSpot does not give with history), then `paging.next.after`.
Cursor: `lastmodifieddate`, less `SOURCES__CRM__LAG_DAYS` (1): a search for what changed, then those contacts with their
history. A search ends at 10,000 results and its pages shift while contacts are edited, so no page is asked for by its
number: each is a new search for what comes, by id, after the last contact seen. Who is edited meanwhile stays in it.
Archived contacts are not found by searching: every run lists them. A contact that was merged into another is gone, and
named by the one that is left (`hs_merged_object_ids`), which counts as changed. One that was deleted for good, by
privacy law or after 90 days in the bin, is in no answer at all: it stays in the raw table until it is erased by hand.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

import requests
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from load.landing import RECORD, Run, SourceFailed, read_until
from load.readers.pages import (
    KEY,
    Token,
    as_records,
    configured_token,
    decoded,
    moment,
    objects,
    pages,
    required_token,
    rest_client,
    same_cursor,
    within,
)

TABLES = {"contacts": RECORD}
PATH = "/crm/v3/objects/contacts"
PROPERTIES = (
    "email,firstname,lastname,phone,country,lifecyclestage,createdate,lastmodifieddate,hs_merged_object_ids,"
    "loyalty_id,marketing_consent,personalization_consent"
)
PAGE = 50


def read(
    run: Run,
    url: str,
    token: str = "",
    properties: str = PROPERTIES,
    lag_days: int = 1,
    client_id: str = "",
    client_secret: str = "",
    refresh_token: str = "",
) -> Iterator[Any]:
    """Yield new contacts and new versions of contacts for raw_crm.contacts. Source: HubSpot CRM v3."""
    if refresh_token:
        anew = partial(_new_token, url, client_id=client_id, client_secret=client_secret, refresh_token=refresh_token)
    else:
        token, anew = required_token(run.source, token), partial(configured_token, run.source)
    api = rest_client(url, Token(token, anew))
    until = run.landed_before.cursor("contacts")
    reading = run.start("contacts", PATH, run.landed_before.keys("contacts", KEY))
    since = moment(until) - timedelta(days=lag_days) if until else None
    latest = moment(until)
    for text in chain(_changed(api, properties, since), _listed(api, properties, archived=True)):
        contacts = objects(run.source, text, "results")
        latest = max(filter(None, [latest, *(_modified(contact) for contact, _ in contacts)]), default=None)
        records = as_records([contact.get("id") for contact, _ in contacts], [text for _, text in contacts])
        yield from run.land(reading, records, pages_overlap=True)
    reading.cursor_until = read_until(latest, reading)
    yield from run.finish(reading)


def _new_token(url: str, **credentials: str) -> str:
    """Return a token that is good for the next half hour. Source: HubSpot OAuth v1."""
    try:
        answer = rest_client(url).post("/oauth/v1/token", data={"grant_type": "refresh_token", **credentials})
        token = within(answer.json(), "access_token") if answer.ok else None
    except requests.RequestException as error:
        raise SourceFailed(f"crm: {url}/oauth/v1/token gives no new token: {type(error).__name__}") from error
    if not token:
        raise SourceFailed(
            f"crm: {url}/oauth/v1/token gives no new token: {answer.status_code} {answer.reason}. "
            "Check SOURCES__CRM__CLIENT_ID, SOURCES__CRM__CLIENT_SECRET and SOURCES__CRM__REFRESH_TOKEN."
        )
    return token


def _listed(api: RESTClient, properties: str, archived: bool = False) -> Iterator[str]:
    asked = {"limit": PAGE, "properties": properties, "propertiesWithHistory": properties}
    after = JSONResponseCursorPaginator(cursor_path="paging.next.after", cursor_param="after")
    return pages("crm", api, PATH, params={**asked, "archived": str(archived).lower()}, paginator=after)


def _changed(api: RESTClient, properties: str, since: datetime | None) -> Iterator[str]:
    if since is None:
        yield from _listed(api, properties)
        return
    last, after = 0, None
    while True:
        (text,) = pages("crm", api, f"{PATH}/search", "POST", body=_search(since, last, after))
        found = [int(contact["id"]) for contact, _ in objects("crm", text, "results") if "id" in contact]
        if found:
            yield from _with_history(api, properties, found)
        following = within(decoded(text), "paging", "next", "after")
        if following is None:
            return
        # An empty page has no last contact; only then is the cursor followed.
        if (found and max(found) <= last) or (not found and following == after):
            raise same_cursor("crm", f"{PATH}/search")
        last, after = max(found, default=last), None if found else following


def _search(since: datetime, last: int, after: str | None) -> dict[str, Any]:
    changed = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(int(since.timestamp() * 1000))}
    beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": str(last)}
    return {
        "filterGroups": [{"filters": [changed, beyond]}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": ["lastmodifieddate"],
        "limit": PAGE,
        **({"after": after} if after else {}),
    }


def _with_history(api: RESTClient, properties: str, ids: list[int]) -> Iterator[str]:
    names = properties.split(",")
    inputs = [{"id": str(each)} for each in ids]
    body = {"properties": names, "propertiesWithHistory": names, "inputs": inputs}
    return pages("crm", api, f"{PATH}/batch/read", "POST", body=body)


def _modified(contact: dict[str, Any]) -> datetime | None:
    return moment(within(contact, "properties", "lastmodifieddate")) or moment(contact.get("updatedAt"))
