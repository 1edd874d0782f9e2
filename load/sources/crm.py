"""Contacts: HubSpot CRM v3.

Where: `SOURCES__CRM__URL` (https://api.hubapi.com) and `SOURCES__CRM__TOKEN`, a private app's token; or, for an app
whose tokens expire, `SOURCES__CRM__CLIENT_ID`, `SOURCES__CRM__CLIENT_SECRET` and `SOURCES__CRM__REFRESH_TOKEN`.
Pages: at first the whole list, 50 a page (more HubSpot does not give with history), then `paging.next.after`.
Cursor: `lastmodifieddate`, less `SOURCES__CRM__LAG_DAYS` (1): a search for what changed, then those contacts with their
history. A search ends at 10,000 results and its pages shift while contacts are edited, so every page is a new search
from the last date seen. Archived contacts are not found by searching: every run lists them.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

import requests
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from load.landing import RECORD, Run, SourceFailed, read_until
from load.readers.pages import KEY, RenewedToken, as_records, moment, objects, pages, required_token, rest_client

TABLES = {"contacts": RECORD}
PATH = "/crm/v3/objects/contacts"
PROPERTIES = (
    "email,firstname,lastname,phone,country,lifecyclestage,createdate,lastmodifieddate,hs_merged_object_ids,"
    "loyalty_id,marketing_consent,personalization_consent"
)
PAGE = 50
SEARCH_CEILING = 10_000


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
        renew = partial(_new_token, url, client_id=client_id, client_secret=client_secret, refresh_token=refresh_token)
        api = rest_client(url, RenewedToken(token, renew))
    else:
        api = rest_client(url, BearerTokenAuth(required_token(run.source, token)))
    until = run.landed_before.cursor("contacts")
    reading = run.start("contacts", PATH, run.landed_before.keys("contacts", KEY))
    since = moment(until) - timedelta(days=lag_days) if until else None
    latest = moment(until)
    for text in chain(_changed(api, properties, since), _listed(api, properties, archived=True)):
        contacts = objects(run.source, text, "results")
        latest = max(filter(None, [latest, *(_modified(contact) for contact, _ in contacts)]), default=None)
        records = as_records([str(contact.get("id")) for contact, _ in contacts], [text for _, text in contacts])
        yield from run.land(reading, records, pages_overlap=True)
    reading.cursor_until = read_until(latest, reading)
    yield from run.finish(reading)


def _new_token(url: str, **credentials: str) -> str:
    """Return a token that is good for the next half hour. Source: HubSpot OAuth v1."""
    answer = requests.post(f"{url}/oauth/v1/token", data={"grant_type": "refresh_token", **credentials})
    if answer.status_code != 200:
        raise SourceFailed(
            f"crm: {url} gives no new token: {answer.status_code} {answer.reason}. Check SOURCES__CRM__CLIENT_ID, "
            "SOURCES__CRM__CLIENT_SECRET and SOURCES__CRM__REFRESH_TOKEN."
        )
    return answer.json()["access_token"]


def _listed(api: RESTClient, properties: str, archived: bool = False) -> Iterator[str]:
    asked = {"limit": PAGE, "properties": properties, "propertiesWithHistory": properties}
    after = JSONResponseCursorPaginator(cursor_path="paging.next.after", cursor_param="after")
    return pages("crm", api, PATH, params={**asked, "archived": str(archived).lower()}, paginator=after)


def _changed(api: RESTClient, properties: str, since: datetime | None) -> Iterator[str]:
    after: str | None = None
    while since is not None:
        (text,) = pages("crm", api, f"{PATH}/search", "POST", body=_search(since, after))
        found = [contact for contact, _ in objects("crm", text, "results")]
        if found:
            yield from _with_history(api, properties, [{"id": contact["id"]} for contact in found])
        after = ((json.loads(text).get("paging") or {}).get("next") or {}).get("after")
        if after is None:
            return
        last = _modified(found[-1]) if found else None
        if last and last > since:
            since, after = last, None
        elif not after.isdigit() or int(after) + PAGE > SEARCH_CEILING:
            break  # more contacts changed in one moment than a search can show: list them all
    yield from _listed(api, properties)


def _search(since: datetime, after: str | None) -> dict[str, Any]:
    at = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(int(since.timestamp() * 1000))}
    return {
        "filterGroups": [{"filters": [at]}],
        "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
        "properties": ["lastmodifieddate"],
        "limit": PAGE,
        **({"after": after} if after else {}),
    }


def _with_history(api: RESTClient, properties: str, inputs: list[dict[str, str]]) -> Iterator[str]:
    names = properties.split(",")
    body = {"properties": names, "propertiesWithHistory": names, "inputs": inputs}
    return pages("crm", api, f"{PATH}/batch/read", "POST", body=body)


def _modified(contact: dict[str, Any]) -> datetime | None:
    return moment((contact.get("properties") or {}).get("lastmodifieddate") or contact.get("updatedAt"))
