"""`python -m load [--side-by-side N] [SOURCE…]`: land what is new in all sources, or in those named.

N sources are read at once, and one at a time writes what it read to the warehouse. That pays where APIs let one wait;
files on this machine land as fast one source after the other, which is the default. Progress while it runs, a table at
the end. Exit code 0, or 1 if a source failed (the others landed all the same), 2 if the command was wrong or the
warehouse cannot be written.
"""

import contextlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.table import Table

from load.locks import Busy, one_load_at_a_time
from load.sources import SOURCES, unknown

FULL = ("No space left on device", "Disk quota exceeded", "File too large")
INTERRUPTED = 130
STATUS_COLOURS = {"landed": "green", "unchanged": "cyan", "not connected": "dim", "failed": "red"}


def main(arguments: list[str]) -> int:
    """Load the named sources, or all; return the exit code."""
    out = Console()
    # On a terminal or in a log alike, a table must not be broken by a width that nobody chose.
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out = Console(width=160)
    if {"-h", "--help"} & set(arguments):
        out.print(
            f"python -m load [--side-by-side N] [SOURCE…]\n\nLands what is new, from N sources at once (1). "
            f"Sources: {', '.join(SOURCES)}.",
            highlight=False,
        )
        return 0
    at_once, arguments = _side_by_side(arguments)
    if at_once < 1:
        print("load: --side-by-side takes a whole number above zero.", file=sys.stderr)
        return 2
    if words := unknown(arguments):
        print(f"load: {words}.", file=sys.stderr)
        return 2
    warehouse = Path(os.environ.get("WAREHOUSE") or "warehouse/warehouse.duckdb").resolve()
    sources = [name for name in SOURCES if name in arguments or not arguments]
    try:
        with contextlib.ExitStack() as locks:
            for source in sources:
                locks.enter_context(one_load_at_a_time(warehouse, source))
            return _load(sources, warehouse, at_once, out)
    except Busy as busy:
        print(f"load: {busy}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("load: interrupted. What has landed stays; the next load goes on from there.", file=sys.stderr)
        return INTERRUPTED


def _side_by_side(arguments: list[str]) -> tuple[int, list[str]]:
    """Return how many sources to read at once, 0 if that is no number, and the arguments that are left."""
    if "--side-by-side" not in arguments:
        return 1, arguments
    place = arguments.index("--side-by-side")
    given = "".join(arguments[place + 1 : place + 2])
    return int(given) if given.isdecimal() else 0, arguments[:place] + arguments[place + 2 :]


def _load(sources: list[str], warehouse: Path, at_once: int, out: Console) -> int:
    # Loading dlt takes a second; a wrong argument or a held lock should not wait for it.
    import duckdb

    from load.landing import Outcome
    from load.pipeline import land, prepare

    # A file that could not be written complains once more when it is thrown away.
    sys.unraisablehook = lambda what: None if isinstance(what.exc_value, OSError) else sys.__unraisablehook__(what)
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    try:
        prepare(warehouse, SOURCES)
    except duckdb.IOException as error:
        print(f"load: cannot write {warehouse}: {error}\nClose what has it open and try again.", file=sys.stderr)
        return 2
    with _progress(out) as progress:

        def landed(source: str) -> Outcome:
            started = time.monotonic()
            try:
                outcome = land(source, warehouse, run_id, lambda what, count: progress(source, what, count))
            except Exception as error:
                outcome = Outcome(source, "failed", message=f"{source}: {_said(error, warehouse)}")
            outcome.seconds = time.monotonic() - started
            progress(source, None, outcome.landed)
            return outcome

        pool = ThreadPoolExecutor(at_once)
        try:
            outcomes = list(pool.map(landed, sources) if at_once > 1 else map(landed, sources))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    _print_summary(outcomes, warehouse, out)
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


@contextlib.contextmanager
def _progress(out: Console) -> Iterator[object]:
    # A spinner on a terminal; elsewhere one line every five seconds, and nothing for sources that are quick.
    last = time.monotonic()

    def plain(source: str, what: str | None, count: int) -> None:
        nonlocal last
        if what is not None and time.monotonic() - last > 5:
            last = time.monotonic()
            out.print(f"{source}: {count:,} landed, {what}", highlight=False, markup=False)

    if not out.is_terminal:
        yield plain
        return

    def spinning(source: str, what: str | None, count: int) -> None:
        status.update(f"[bold]{source}[/] {count:,} landed  [dim]{what or 'done'}[/]")

    with Status("starting", console=out) as status:
        yield spinning


def _print_summary(outcomes: list[object], warehouse: Path, out: Console) -> None:
    table = Table()
    table.add_column("source")
    for name in ("landed", "unchanged", "noted", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("status")
    for outcome in outcomes:
        colour = STATUS_COLOURS[outcome.status]
        numbers = (f"{outcome.landed:,}", f"{outcome.unchanged:,}", str(len(outcome.notes)), f"{outcome.seconds:.1f}")
        table.add_row(outcome.source, *numbers, f"[{colour}]{outcome.status}[/]")
    out.print(f"Landed in {_shown(warehouse)}", highlight=False, markup=False, soft_wrap=True)
    out.print(table)
    for outcome in outcomes:
        for message in outcome.message.split("; ") if outcome.message else []:
            out.print(f"failed: {message}", style="red", highlight=False, markup=False, soft_wrap=True)
        for note in outcome.notes[:5]:
            if not (outcome.message and outcome.message in note):
                out.print(f"noted: {outcome.source}: {note}", highlight=False, markup=False, soft_wrap=True)
        if len(outcome.notes) > 5:
            out.print(f"noted: {outcome.source}: {len(outcome.notes) - 5} more, see raw_{outcome.source}.manifest")
    if all(outcome.status == "not connected" for outcome in outcomes):
        names = ", ".join(outcome.source for outcome in outcomes)
        which = "No source is connected" if len(outcomes) == len(SOURCES) else f"Not connected: {names}"
        out.print(
            f"{which}; nothing has landed. Connect one by saying where it is:\n"
            "  export SOURCES__WEB__URL=path/to/events   SOURCES__SHOP__CREDENTIALS=postgresql://user:password@host/shop\n"
            "or try the sample company:\n"
            "  python -m sample make && python -m sample serve -- python -m load",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _said(error: BaseException, warehouse: Path) -> str:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if any(full in str(error) for full in FULL):
        return (
            f"the disk of {_shown(warehouse.parent)} is full ({error}). What had landed stays as it was. "
            "Make room and run the load again."
        )
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    code = main(sys.argv[1:])
    if code == INTERRUPTED:
        # Python would wait for the sources that are still being read.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
