"""CSV and TSV: every record verbatim, and beside it its fields as the header of that very file names them.

| in the file | lands as |
|---|---|
| header | that file's names, no record; blanks around them cut off; a repeated one gets a suffix (`price_2`) |
| a known name in another case (`Price`) | read as the known one (`price`); if that is there too, they stay apart |
| record with as many fields as the header | payload verbatim, `fields` as JSON |
| too few or too many fields | payload verbatim, `fields` null |
| blank line | an empty payload, `fields` null |
| quoted field with line breaks | one record, on the line where it starts, its inner line ends kept |
| quote never closed, or swallowing other records | that line alone, `fields` null; the next line is read as usual |
| no quoting (`quoted=False`) | a quote is a character like any other |
"""

import csv
from collections.abc import Iterator
from io import BytesIO
from itertools import chain, count
from json.encoder import encode_basestring
from typing import NamedTuple

import pyarrow as pa

from load.readers.files import Parser, as_payload, content_hashes, whole_lines

BATCH_RECORDS = 50_000
LONGEST_RECORD_LINES = 200
"""A quoted field that runs on for more lines than this is taken for a stray quote."""

csv.field_size_limit(2**31 - 1)


class Record(NamedTuple):
    """One record of delimited text: where it starts, its bytes without the line end, its values (None: malformed)."""

    line: int
    raw: bytes
    values: list[str] | None


def delimited(delimiter: str, known: tuple[str, ...] = (), quoted: bool = True) -> Parser:
    """Return the Parser for text with this delimiter; `quoted` fields may hold delimiters, quotes and line breaks.

    `known` are the names that the models ask for: a header that spells one in another case means it.
    """

    def parse(pieces: Iterator[bytes], path: str) -> Iterator[pa.Table]:
        lines = (line for block in whole_lines(pieces) for line in BytesIO(block))
        names: list[str] = []
        batch: list[Record] = []
        for record in _records(lines, delimiter, quoted):
            if not names and record.raw:
                header = record.values or record.raw.decode(errors="replace").split(delimiter)
                names = distinct_names(spelled_as_known(header, known))
                continue
            batch.append(record)
            if len(batch) == BATCH_RECORDS:
                yield _as_table(batch, names)
                batch = []
        if batch:
            yield _as_table(batch, names)

    return parse


def distinct_names(header: list[str]) -> list[str]:
    """Return the names of a header with a suffix where one repeats or is empty: a, b, a becomes a, b, a_2."""
    names: list[str] = []
    for position, name in enumerate(header, start=1):
        name = name or f"column_{position}"
        suffixed = (f"{name}_{number}" for number in count(2))
        names.append(next(unique for unique in chain([name], suffixed) if unique not in names))
    return names


def spelled_as_known(header: list[str], known: tuple[str, ...]) -> list[str]:
    """Return the names of a header, one that differs from a known name in case alone as the known one.

    >>> spelled_as_known([" SKU ", "Price", "price"], ("sku", "price"))
    ['sku', 'Price', 'price']
    """
    names = [name.strip() for name in header]
    spelling = {name.lower(): name for name in known if name not in names}
    return [spelling.pop(name.lower(), name) if name not in known else name for name in names]


def _records(lines: Iterator[bytes], delimiter: str, quoted: bool) -> Iterator[Record]:
    number, width = 0, 0
    again: list[bytes] = []  # lines that a stray quote had taken, last first
    while (line := again.pop() if again else next(lines, None)) is not None:
        number += 1
        raw = _without_line_end(line)
        text = raw.decode(errors="replace")
        if not quoted or '"' not in text:
            values: list[str] | None = text.split(delimiter)
        else:
            taken = [line]

            def following(taken: list[bytes] = taken) -> Iterator[str]:
                yield taken[0].decode(errors="replace")
                while len(taken) < LONGEST_RECORD_LINES:
                    line = again.pop() if again else next(lines, None)
                    if line is None:
                        return
                    taken.append(line)
                    yield line.decode(errors="replace")

            try:
                values = next(csv.reader(following(), delimiter=delimiter, strict=True))
            except (csv.Error, StopIteration):
                values = None
            if len(taken) > 1:
                if values is not None and len(values) == width:
                    raw = _without_line_end(b"".join(taken))
                else:
                    values = None
                    again.extend(reversed(taken[1:]))
                    del taken[1:]
            start, number = number, number + len(taken) - 1
            yield Record(start, raw, values)
            width = width or len(values or ())
            continue
        if raw:
            width = width or len(values)
        yield Record(number, raw, values)


def _without_line_end(line: bytes) -> bytes:
    if line.endswith(b"\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith(b"\n") else line


def _as_table(batch: list[Record], names: list[str]) -> pa.Table:
    raw = pa.array([record.raw for record in batch], pa.binary())
    keys = [f"{', ' if position else ''}{encode_basestring(name)}: " for position, name in enumerate(names)]
    fields = [
        "{" + "".join([key + encode_basestring(value) for key, value in zip(keys, record.values, strict=True)]) + "}"
        if record.values is not None and record.raw and len(record.values) == len(names)
        else None
        for record in batch
    ]
    return pa.table(
        {
            **as_payload(raw),
            "fields": pa.array(fields, pa.string()),
            "source_line": pa.array([record.line for record in batch], pa.int64()),
            "content_hash": content_hashes(raw),
        }
    )
