"""Campaign responses: Klaviyo's events, with the metric and the profile of each, and the campaigns.

Where: `SOURCES__MARKETING__URL` (https://a.klaviyo.com) and `SOURCES__MARKETING__TOKEN`, a private API key.
Pages: `links.next`, whose cursor stands between two events and does not move when others come or go.
Cursor: `datetime` of the events, less `SOURCES__MARKETING__LAG_DAYS` (3) for those that arrive late. Campaigns are few
and listed by every run. Metrics and profiles come with the events and land in tables of their own.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator

from load.landing import RECORD, Run, read_until
from load.readers.pages import (
    KEY,
    Token,
    as_records,
    configured_token,
    moment,
    objects,
    pages,
    required_token,
    rest_client,
    within,
)

TABLES = {"events": RECORD, "metrics": RECORD, "profiles": RECORD, "campaigns": RECORD}
REVISION = "2024-10-15"
MOST_EVENTS_A_PAGE = 1000
INCLUDED = {"metric": "metrics", "profile": "profiles"}


def read(run: Run, url: str, token: str = "", lag_days: int = 3) -> Iterator[Any]:
    """Yield what is new for the tables of raw_marketing. Source: Klaviyo API, Get Events and Get Campaigns."""
    key = Token(required_token(run.source, token), partial(configured_token, run.source), "Klaviyo-API-Key")
    api = rest_client(url, key, {"revision": REVISION, "accept": "application/vnd.api+json"})
    yield from _campaigns(run, api)
    yield from _events(run, api, lag_days)


def _campaigns(run: Run, api: RESTClient) -> Iterator[Any]:
    reading = run.start("campaigns", "/api/campaigns", run.landed_before.keys("campaigns", KEY))
    asked = {"filter": "equals(messages.channel,'email')"}
    for text in pages(run.source, api, "/api/campaigns", params=asked, paginator=JSONLinkPaginator("links.next")):
        yield from run.land(reading, _resources(objects(run.source, text, "data")), pages_overlap=True)
    yield from run.finish(reading)


def _events(run: Run, api: RESTClient, lag_days: int) -> Iterator[Any]:
    until = run.landed_before.cursor("events")
    tables = ("events", "metrics", "profiles")
    readings = {table: run.start(table, "/api/events", run.landed_before.keys(table, KEY)) for table in tables}
    asked = {"include": "metric,profile", "sort": "datetime", "page[size]": str(MOST_EVENTS_A_PAGE)}
    if until:
        since = moment(until) - timedelta(days=lag_days)
        asked["filter"] = f"greater-than(datetime,{since:%Y-%m-%dT%H:%M:%S}Z)"
    latest = moment(until)
    for text in pages(run.source, api, "/api/events", params=asked, paginator=JSONLinkPaginator("links.next")):
        events = objects(run.source, text, "data")
        times = (moment(within(event, "attributes", "datetime")) for event, _ in events)
        latest = max(filter(None, [latest, *times]), default=None)
        yield from run.land(readings["events"], _resources(events), pages_overlap=True)
        included = objects(run.source, text, "included", optional=True)
        for kind, table in INCLUDED.items():
            resources = [each for each in included if each[0].get("type") == kind]
            yield from run.land(readings[table], _resources(resources), pages_overlap=True)
    readings["events"].cursor_until = read_until(latest, readings["events"])
    yield from run.finish(*readings.values())


def _resources(found: list[tuple[dict[str, Any], str]]) -> Any:
    return as_records([resource.get("id") for resource, _ in found], [text for _, text in found])
