"""Exchange rates of the European Central Bank: Frankfurter v1.

Where: `SOURCES__FX__URL`, the API's root (https://api.frankfurter.dev). No token.
Pages: one request a calendar year; longer ranges Frankfurter thins out to weeks.
Cursor: the last date landed, less `SOURCES__FX__LAG_DAYS` (7) for rates that are listed late. From `SOURCES__FX__SINCE`
(2020-01-01) at first, to `SOURCES__FX__UNTIL` (today). Working days only: a weekend has no record.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from load.landing import RECORD, Run, SourceFailed, read_until
from load.readers.pages import KEY, as_records, members, moment, pages, rest_client

TABLES = {"rates": RECORD}


def read(
    run: Run,
    url: str,
    since: str = "2020-01-01",
    until: str = "",
    base: str = "USD",
    symbols: str = "",
    lag_days: int = 7,
) -> Iterator[Any]:
    """Yield the rates of every new date for raw_fx.rates: one record a date. Source: Frankfurter, /v1/{from}..{to}."""
    api = rest_client(url)
    landed_until = moment(run.landed_before.cursor("rates"))
    first, last = date.fromisoformat(since), date.fromisoformat(until) if until else datetime.now(UTC).date()
    if landed_until:
        first = max(first, landed_until.date() - timedelta(days=lag_days))
    reading = run.start("rates", "/v1", run.landed_before.keys("rates", KEY))
    asked = {"base": base, **({"symbols": symbols} if symbols else {})}
    for start, end in _years(first, last):
        (text,) = pages(run.source, api, f"/v1/{start}..{end}", params=asked)
        answer = dict(members(text))
        if not answer.get("rates", "").startswith("{"):
            raise SourceFailed(f"{run.source}: the answer has no `rates`, it begins {text[:200]!r}. Is the URL right?")
        rates = members(answer["rates"])
        payloads = [
            f'{{"base":{answer.get("base", "null")},"date":{json.dumps(day)},"rates":{of_day}}}'
            for day, of_day in rates
        ]
        days = [day for day, _ in rates]
        yield from run.land(reading, as_records(days, payloads), pages_overlap=True)
        landed_until = max(filter(None, [landed_until, *map(moment, days)]), default=None)
    reading.cursor_until = read_until(landed_until, reading)
    yield from run.finish(reading)


def _years(first: date, last: date) -> Iterator[tuple[date, date]]:
    while first <= last:
        end = min(last, date(first.year, 12, 31))
        yield first, end
        first = end + timedelta(days=1)
