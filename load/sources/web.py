"""Clickstream of the web shop: Segment or RudderStack events, one JSON object a line.

Where: `SOURCES__WEB__URL`, a folder or bucket of files, gzip or not, at any depth.
Pages: none; every file is read from its start.
Cursor: none; the manifest knows each file by path, size and content, so a late file or one that grew is never missed.
"""

from collections.abc import Iterator
from typing import Any

from load.landing import RECORD, Run
from load.readers.files import land_files, text_lines

TABLES = {"events": RECORD}


def read(run: Run, url: str) -> Iterator[Any]:
    """Yield every new line below `url` for raw_web.events. Source: Segment spec, RudderStack event spec."""
    return land_files(run, "events", url, text_lines)
