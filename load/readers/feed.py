"""Product feeds in XML (RSS 2.0 `<item>`, Atom `<entry>`): one record an item, verbatim, with its elements as fields.

An item is cut out by its tags before anything is parsed, so that one malformed item costs only its own fields. An
element that repeats gets a suffix (`additional_image_link_2`), one inside another the outer name in front
(`shipping_country`). An item that is never closed lands as it is, with `fields` null.
"""

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pyarrow as pa

from load.readers.delimited import distinct_names
from load.readers.files import as_payload, content_hashes

ITEM = re.compile(rb"<(item|entry)(?:\s[^>]*)?>.*?</\1\s*>", re.DOTALL)
ITEM_START = re.compile(rb"<(?:item|entry)[\s>]")
PREFIX = re.compile(rb"</?([A-Za-z_][\w.-]*):[A-Za-z_]")
ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding=["']([\w.-]+)["']""")
LONGEST_TAG = 16


def items(pieces: Iterator[bytes], path: str) -> Iterator[pa.Table]:
    """Cut an XML product feed into one record an item. A Parser. Source: Google Merchant product data specification."""
    waiting, line, encoding = b"", 1, b""
    for piece in pieces:
        waiting += piece
        encoding = encoding or _encoding(waiting)
        found: list[tuple[int, bytes]] = []
        done = 0
        for item in ITEM.finditer(waiting):
            line += waiting.count(b"\n", done, item.start())
            found.append((line, item.group()))
            line += item.group().count(b"\n")
            done = item.end()
        if found:
            yield _as_table(found, encoding)
        begun = ITEM_START.search(waiting, done)
        keep = begun.start() if begun else max(done, len(waiting) - LONGEST_TAG)
        line += waiting.count(b"\n", done, keep)
        waiting = waiting[keep:]
    if ITEM_START.match(waiting):
        yield _as_table([(line, waiting.rstrip(b"\r\n"))], encoding)


def _encoding(start: bytes) -> bytes:
    declared = ENCODING.match(start)
    return declared.group(1) if declared else b"utf-8"


def _fields(item: bytes, encoding: bytes) -> str | None:
    declared = b" ".join(b'xmlns:%s="%s"' % (prefix, prefix) for prefix in set(PREFIX.findall(item)))
    try:
        root = ElementTree.fromstring(
            b'<?xml version="1.0" encoding="%s"?><feed %s>%s</feed>' % (encoding, declared, item)
        )
    except (ElementTree.ParseError, LookupError, ValueError):
        return None
    leaves = list(_leaves(root[0], ""))
    names = distinct_names([name for name, _ in leaves])
    return json.dumps(dict(zip(names, (text for _, text in leaves), strict=True)), ensure_ascii=False)


def _leaves(element: ElementTree.Element, outer: str) -> Iterator[tuple[str, str]]:
    for child in element:
        name = outer + child.tag.rsplit("}", 1)[-1]
        if len(child):
            yield from _leaves(child, f"{name}_")
        else:
            yield name, (child.text or "").strip()


def _as_table(found: list[tuple[int, bytes]], encoding: bytes) -> pa.Table:
    raw = pa.array([item for _, item in found], pa.binary())
    return pa.table(
        {
            **as_payload(raw),
            "fields": pa.array([_fields(item, encoding) for _, item in found], pa.string()),
            "source_line": pa.array([line for line, _ in found], pa.int64()),
            "content_hash": content_hashes(raw),
        }
    )
