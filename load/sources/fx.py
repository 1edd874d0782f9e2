"""fx: to come."""

from collections.abc import Iterator
from typing import Any

from load.landing import RECORD, Run

TABLES = {"rates": RECORD}


def read(run: Run, url: str) -> Iterator[Any]:
    """Yield nothing yet."""
    return iter(())
