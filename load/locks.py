"""Who may do what when several sources are loaded side by side: locked files beside the warehouse.

A source is loaded by one process at a time. The warehouse is read by many or written by one, as DuckDB wants it:
whoever would read waits for the writer, whoever would write for all readers. A killed holder lets go by itself.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import TextIO


class Busy(Exception):
    """Another load has the same source in hand. The message says which."""


def load_lock(warehouse: Path, source: str) -> Path:
    """Return the file that whoever loads a source into a warehouse holds."""
    return _folder(warehouse) / f"load_{source}"


@contextmanager
def one_load_at_a_time(warehouse: Path, source: str) -> Iterator[None]:
    """Hold a source's lock. Raises Busy with the holder's process."""
    _folder(warehouse).mkdir(parents=True, exist_ok=True)
    with load_lock(warehouse, source).open("a+") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another load"
            raise Busy(f"{source} is being loaded into {warehouse} by {holder}. Wait until it is done.") from None
        lock.seek(0)
        lock.truncate()
        lock.write(f"process {os.getpid()} on {os.uname().nodename} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        lock.flush()
        yield


@contextmanager
def reading(warehouse: Path) -> Iterator[None]:
    """Wait until no load writes to the warehouse, and keep them from it."""
    with _turn(warehouse) as lock:
        flock(lock, LOCK_SH)
        yield


@contextmanager
def writing(warehouse: Path) -> Iterator[None]:
    """Wait until no other load reads the warehouse or writes to it, and keep them from it."""
    with _turn(warehouse) as lock:
        flock(lock, LOCK_EX)
        yield


def in_use(warehouse: Path) -> bool:
    """Return whether a load reads the warehouse or writes to it now."""
    with _turn(warehouse) as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _turn(warehouse: Path) -> Iterator[TextIO]:
    _folder(warehouse).mkdir(parents=True, exist_ok=True)
    with (_folder(warehouse) / "turn").open("a") as lock:
        yield lock


def _folder(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.name}.locks")
