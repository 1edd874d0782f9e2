"""Writes values into SQL.

Parameters would do, but the first one that DuckDB is given imports pandas, which takes a second or more.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any


def literal(value: Any) -> str:
    """Return a value as SQL writes it: text, number, boolean, date, timestamp, null, list; a tuple as `in` takes it.

    Raises `TypeError` for anything else.
    """
    match value:
        case None:
            return "null"
        case bool() | int() | float():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"timestamp '{value:%Y-%m-%d %H:%M:%S.%f}'"
        case date():
            return f"date '{value}'"
        case tuple():
            return "(" + ", ".join(map(literal, value)) + ")"
        case Iterable():
            return "[" + ", ".join(map(literal, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no literal in SQL")
