"""Calls the commands of this project as a scheduler does, and says why one failed."""

import subprocess
import sys
from collections.abc import Iterator

REASONS = ("failed:", "✗", "load:", "nothing is published")
"""How lines begin that say why."""


RUNNING: set[subprocess.Popen] = set()


class CommandFailed(Exception):
    """A command ended with an exit code that says so; the message is what it said."""


def said(*command: str) -> Iterator[str]:
    """Run a command of this project and yield the lines that it prints; raise `CommandFailed` when it failed."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    RUNNING.add(process)
    lines: list[str] = []
    try:
        for line in process.stdout:
            if not line.startswith("{"):
                lines.append(line.rstrip())
            yield line.rstrip()
    except BaseException:
        # When the run is cancelled, what it began ends with it; what was killed is made good by the next run.
        process.terminate()
        process.wait()
        raise
    finally:
        RUNNING.discard(process)
    if process.wait():
        told = [line for line in lines if line.startswith(REASONS)]
        raise CommandFailed("\n".join(told or lines[-3:]))


def end_all() -> None:
    """End all commands that still run; what was killed is made good by the next run."""
    for process in RUNNING.copy():
        process.terminate()
