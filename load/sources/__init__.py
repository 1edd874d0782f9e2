"""One module a source: where its data is, how it pages, what its cursor is. A module that is put here is a source."""

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

SOURCES = tuple(module.name for module in iter_modules(__path__))


def reader_of(source: str) -> Callable[..., Any]:
    """Return the function that reads a source."""
    return import_module(f"{__name__}.{source}").read


def unknown(names: Iterable[str]) -> str | None:
    """Return what to tell whoever names what is no source; None when all are."""
    wrong = [name for name in names if name not in SOURCES]
    return f"there is no source {', '.join(wrong)}. Sources: {', '.join(SOURCES)}" if wrong else None
