"""marketing: to come."""

from collections.abc import Iterator
from typing import Any

from load.landing import RECORD, Run

TABLES = {"events": RECORD, "metrics": RECORD, "profiles": RECORD, "campaigns": RECORD}


def read(run: Run, url: str, token: str) -> Iterator[Any]:
    """Yield nothing yet."""
    return iter(())
