"""What a scheduler calls: load, build and test, look at what would change, publish."""

import argparse
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from rich.console import Console

from load.sources import SOURCES, reader_of, unknown
from operate.build import build
from operate.commands import CommandFailed, said
from operate.paths import target_path, warehouse_path, wide_console
from operate.plan import plan, show
from operate.publish import (
    KEPT,
    Refused,
    descriptions,
    publication,
    publish,
    published_path,
    rollback,
    taken_back,
    versions,
)
from operate.report import Outcome, report, tell
from operate.state import last_build, passed_state, project_variables


def add_publish_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `publish` and `run` share to a parser."""
    parser.add_argument("--yes", action="store_true", help="publish without asking: for schedulers")
    limit = project_variables()["drift_limit"]
    parser.add_argument(
        "--drift-limit", type=float, default=limit, metavar="PSI",
        help=f"publish nothing when a feature drifted further than this (population stability index, {limit})",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="publish what was taken back by rollback once more")
    parser.add_argument("--keep", type=int, default=KEPT, metavar="N", help=f"keep so many copies ({KEPT})")
    add_report_arguments(parser)


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the report of a run needs to a parser."""
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write how it ended as JSON to this file (target/report.json)"
    )
    parser.add_argument(
        "--since", type=utc, metavar="ISO", help="when the run began, for schedulers that load and build before this"
    )


def add_failure_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `report` to a parser."""
    parser.add_argument("--failed", required=True, metavar="WORDS", help="why the run failed")
    add_report_arguments(parser)


def utc(text: str) -> datetime:
    """Return a moment written in ISO 8601, which is UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def add_rollback_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rollback` to a parser."""
    parser.add_argument(
        "version", nargs="?", help="the copy to go back to; the one before the current if none is named"
    )
    parser.add_argument("--list", action="store_true", help="show the copies that there are and change nothing")


def add_flow_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `flow` to a parser."""
    parser.add_argument(
        "--source", action="append", dest="sources", metavar="SOURCE", help="load only this; repeatable"
    )
    parser.add_argument(
        "--drift-limit", type=float, default=project_variables()["drift_limit"], metavar="PSI", help="as of run"
    )
    parser.add_argument("--keep", type=int, default=KEPT, metavar="N", help="as of run")
    parser.add_argument("--retries", type=int, default=3, metavar="N", help="what is down or locked is tried so often")
    parser.add_argument("--retry-seconds", type=float, default=300, metavar="S", help="and so much later (300)")
    parser.add_argument("--serve", action="store_true", help="stay, and run it on a schedule")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--cron", default="0 3 * * *", help="when, UTC (0 3 * * *: every day at three)")
    when.add_argument("--interval", type=float, metavar="S", help="every so many seconds instead")


def run_flow(options: argparse.Namespace) -> int:
    """Run the Prefect flow once, or serve it on a schedule; return 0, or 1 when it failed or Prefect is missing."""
    # Prefect reports its use unless told not to, and complains where there is no network.
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    try:
        from operate import flow
    except ModuleNotFoundError as missing:
        if missing.name != "prefect":
            raise
        print(
            "Prefect is not installed. Install it:\n"
            "  .venv/bin/pip install 'prefect==3.8.8' 'fastapi<=0.154.0' 'sqlalchemy<2.1'",
            file=sys.stderr,
        )
        return 1
    if words := unknown(sorted(set(options.sources or ()))):
        print(words, file=sys.stderr)
        return 1
    names = ("sources", "drift_limit", "keep", "retries", "retry_seconds")
    parameters = {name: getattr(options, name) for name in names}
    if options.serve:
        return flow.serve_on(None if options.interval else options.cron, options.interval, parameters)
    return 0 if flow.shopsmart(**parameters, return_state=True).is_completed() else 1


def run(options: argparse.Namespace) -> int:
    """Load what is new, build, test, publish; return 0, or 1 as soon as one fails: readers keep what they have."""
    started = datetime.now(UTC)
    failures = load()
    if failures is not None:
        outcome = Outcome("failed", f"nothing is published: a source failed to load\n{failures}".rstrip())
    else:
        outcome = attempt(options)
        from load.pipeline import settings_of

        if not any(settings_of(source, reader_of(source)) is not None for source in SOURCES):
            outcome.warnings.append({"what": "load", "words": "no source is connected: nothing new can land"})
    return ended(options, outcome, started)


def load() -> str | None:
    """Land what is new; return None, or why a source failed, as far as it is not on a terminal for people to read."""
    if sys.stdout.isatty():
        return "(see above)" if subprocess.run([sys.executable, "-m", "load"]).returncode else None
    try:
        for line in said("load"):
            print(line, flush=True)
    except CommandFailed as problem:
        return str(problem)
    return None


def publish_built(options: argparse.Namespace) -> int:
    """Build and test what is new, show what would change, publish it; return 0, or 1 with the reason."""
    started = options.since or datetime.now(UTC)
    return ended(options, attempt(options), started)


def report_failure(options: argparse.Namespace) -> int:
    """Report a run that failed before it came to publishing; return 0."""
    ended(options, Outcome("failed", options.failed), options.since or datetime.now(UTC))
    return 0


def ended(options: argparse.Namespace, outcome: Outcome, started: datetime) -> int:
    """Say how a run ended, report it, and return its exit code."""
    if outcome.state == "failed":
        print(outcome.words, file=sys.stderr)
    else:
        wide_console().print(f"\n{outcome.words}", style="green" if outcome.version else None, highlight=False)
    told = report(outcome, started, warehouse_path(), published_path(), target_path())
    tell(told, options.report or target_path() / "report.json")
    return 1 if outcome.state == "failed" else 0


def attempt(options: argparse.Namespace) -> Outcome:
    """Build and test what is new, show what would change, publish it; return how that ended.

    Without `--yes` it asks, and where nobody can answer it publishes nothing.
    """
    warehouse, published, console = warehouse_path(), published_path(), wide_console()

    def failed(reason: str, drift: dict[str, float] | None = None) -> Outcome:
        there = "stays as it was" if published.exists() else "is not there yet"
        return Outcome("failed", f"nothing is published, {published} {there}: {reason}", drift=drift or {})

    try:
        code = build()
    except (duckdb.Error, OSError) as problem:
        return failed(f"the build failed: {problem}")
    if code:
        return failed("\n".join(["the build failed", *last_build(warehouse).get("failures", [])]))
    state = passed_state(warehouse)
    if state is None:
        return failed(f"somebody has written to {warehouse} since it was built")
    try:
        current = current_state(published)
        if current == state:
            return Outcome("unchanged", f"Readers have this already: {published}")
        if (names := taken_back(published, state)) and not options.again:
            words = (
                f"This was published as {names[0]} and taken back: nothing is published ({published} stays as it was)."
            )
            return Outcome("unchanged", f"{words} --again publishes it once more.")
        made = plan(warehouse, published if current is not None else None, target_path())
        show(console, made, options.drift_limit)
        if beyond := made.beyond(options.drift_limit):
            names = ", ".join(f"{name} ({psi:.2f})" for name, psi in beyond.items())
            cure = "If that is how the shop is now, publish with a higher --drift-limit"
            return failed(f"drifted further than {options.drift_limit}: {names}\n{cure}", beyond)
        if not options.yes and not confirmed(console):
            return failed("nobody said yes (--yes does)")
        words = descriptions(target_path())
        version = publish(
            warehouse, published, words, options.keep, state, still=lambda: passed_state(warehouse) == state
        )
    except (Refused, duckdb.Error, OSError) as problem:
        return failed(str(problem))
    return Outcome(
        "published",
        f"Published {version.name}: {published}, {version.size / 1e6:,.0f} MB",
        version.name,
        made.beyond(options.drift_limit / 2),
    )


def current_state(published: Path) -> str | None:
    """Return what the copy that readers have was built from; None when there is none, or none that can be read."""
    try:
        return publication(published).get("built_from")
    except duckdb.Error as problem:
        print(f"{published} cannot be read, as if nothing had been published: {problem}", file=sys.stderr)
        return None


def confirmed(console: Console) -> bool:
    """Ask whether to publish. Where nobody sits, nobody says yes."""
    return sys.stdin.isatty() and console.input("\nPublish? [y/N] ").strip().lower() in ("y", "yes")


def roll_back(options: argparse.Namespace) -> int:
    """Give readers an earlier copy again, or list what there is; return 0, or 1 with the reason."""
    published = published_path()
    try:
        if options.list:
            for version in versions(published):
                mark = "→" if version.is_current else " "
                print(
                    f"{mark} {version.name}  {version.published_at:%Y-%m-%d %H:%M:%S} UTC  {version.size / 1e6:,.0f} MB"
                )
            return 0
        version = rollback(published, options.version)
    except (Refused, duckdb.Error, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{published} is {version.name} again, of {version.published_at:%Y-%m-%d %H:%M:%S} UTC")
    return 0
