"""Proves on copies of any warehouse that no feature looks ahead, nothing is lost and order does not matter."""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from operate.paths import warehouse_path, wide_console
from operate.proofs import proofs, raw
from operate.state import given_variables

PROOFS = ("leakage", "replay", "order", "conservation")


def moment(text: str) -> datetime:
    """Return the moment that a date or a time in ISO 8601 names, in UTC without saying so."""
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no moment: write 2026-06-12 or 2026-06-12T13:30") from None
    return named.astimezone(UTC).replace(tzinfo=None) if named.tzinfo else named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument("proof", choices=[*PROOFS, "all"], nargs="?", default="all")
    parser.add_argument(
        "--at", type=moment, action="append", default=[], metavar="MOMENT",
        help="leakage: where to cut history, a date or a time; UTC if it does not say. Repeatable",
    )  # fmt: skip
    parser.add_argument("--from", type=moment, dest="start", metavar="DATE", help="replay: the first day")
    parser.add_argument("--days", type=int, default=3, help="replay: how many days (default 3)")
    parser.add_argument("--seed", type=int, default=7, help="order: of the shuffling (default 7)")
    parser.add_argument(
        "--vars", type=given_variables, default={}, help="dbt variables in YAML that the warehouse was built with"
    )
    parser.add_argument(
        "--folder", type=Path, help="where to work, and to keep what was built (default: a temporary one)"
    )


def prove(options: argparse.Namespace) -> int:
    """Run one proof or all; return 0 when all hold, 1 when one does not, 2 when there is nothing to prove it with.

    The warehouse is read and copied, never written: a copy of it has to fit on the disk some times over.
    """
    console, warehouse = wide_console(), warehouse_path()
    if not warehouse.exists():
        console.print(f"There is no warehouse at {warehouse} yet. Load and build first: python -m load, dbt build")
        return 2
    wanted = PROOFS if options.proof == "all" else (options.proof,)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        workshop = proofs.Workshop(
            folder,
            warehouse.resolve(),
            console,
            raw.parsed_project(options.vars),
            variables=options.vars,
        )
        if timeless := ", ".join(raw.timeless(workshop.manifest)):
            console.print(
                f"Of these no time is declared, so all of them is kept: {timeless}", style="dim", highlight=False
            )
        runs = {
            "leakage": lambda: proofs.leakage(workshop, options.at),
            "replay": lambda: proofs.replay(workshop, options.start, options.days),
            "order": lambda: proofs.order(workshop, options.seed),
            "conservation": lambda: proofs.conservation(workshop),
        }
        try:
            held = [runs[name]() for name in wanted]
        except (raw.NothingToProve, RuntimeError, duckdb.Error) as problem:
            print(problem, file=sys.stderr)
            return 2
    return 0 if all(held) else 1
