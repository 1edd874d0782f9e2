"""Runs commands as whole processes, in turn, and tells what each took."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


@dataclass
class Contender:
    """A command, what it needs in its environment, and how to count the rows that it made."""

    name: str
    command: list[str]
    rows: Callable[[], int]
    environment: dict[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None
    """Called before each run, for example to delete what the last one made."""


class Taken(NamedTuple):
    """What one run took: CPU seconds of the process and its children, seconds by the clock, the most memory in MB."""

    cpu: float
    wall: float
    memory: float


LAUNCH = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stderr=subprocess.STDOUT)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - started
print(json.dumps([status, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024]))
"""


def run_once(contender: Contender, log: Path) -> Taken:
    """Run a contender; raises RuntimeError with the end of what it printed when it fails."""
    contender.before()
    # Launched by a small process: a child begins with its parent's memory, and that would be its peak.
    launch = [sys.executable, "-S", "-E", "-c", LAUNCH, str(log), *contender.command]
    # As with users, Python keeps what it compiled: compiling dbt anew takes as long as its start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    launched = subprocess.run(
        launch, env=environment | contender.environment, capture_output=True, text=True, check=True
    )
    status, *taken = json.loads(launched.stdout)
    if status:
        raise RuntimeError(f"{contender.name} failed: {log.read_text(errors='replace')[-800:]}")
    return Taken(*taken)


def check(contender: Contender, rows: int) -> None:
    """Raise AssertionError when a contender has made another number of rows than it was given."""
    made = contender.rows()
    assert made == rows, f"{contender.name or contender.command} made {made:,} rows of {rows:,}"


def compare(contenders: Iterable[Contender], runs: int, folder: Path, rows: int) -> dict[str, Taken | str]:
    """Run all contenders in turn, `runs` times; return the medians, or why one could not be measured.

    Raises AssertionError when one finished without making `rows` rows.
    """
    taken: dict[str, list[Taken]] = {}
    failed: dict[str, str] = {}
    contenders = list(contenders)
    for number in range(runs):
        for contender in contenders:
            if contender.name in failed:
                continue
            try:
                result = run_once(contender, folder / "log")
                check(contender, rows)
            except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
                failed[contender.name] = " ".join(str(error).split())
                print(f"{contender.name}: {failed[contender.name][-300:]}", file=sys.stderr)
                continue
            taken.setdefault(contender.name, []).append(result)
            print(
                f"{number + 1}/{runs} {contender.name}: {result.cpu:.1f} CPU s, {result.wall:.1f} s, "
                f"{result.memory:.0f} MB, {rows:,} rows",
                file=sys.stderr,
            )
    medians = {name: Taken(*map(statistics.median, zip(*runs_of, strict=True))) for name, runs_of in taken.items()}
    return {**medians, **failed}


def table(title: str, taken: dict[str, Taken | str], rows: int, floor: str) -> str:
    """Return a Markdown table: what each took, and its CPU as a ratio to the floor's."""
    base = taken[floor]
    lines = [
        f"**{title}** ({rows:,} rows)",
        "",
        f"| | CPU s | ratio to {floor} | seconds | peak MB |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, figure in taken.items():
        if isinstance(figure, str):
            lines.append(f"| {name} | not measured: {figure[-160:]} | | | |")
        else:
            ratio = figure.cpu / base.cpu
            lines.append(f"| {name} | {figure.cpu:.1f} | {ratio:.2f} | {figure.wall:.1f} | {figure.memory:,.0f} |")
    return "\n".join(lines) + "\n"
