"""Calls dbt in this process: on the user's warehouse, with a bar that shows how far it is, and on copies of it."""

import contextlib
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.functions import msg_to_json
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from operate.paths import KEY_FILE, target_path
from operate.personal_data import pii_key
from operate.run_page import RESULTS
from operate.state import GOOD
from operate.summary import BuildResult

SILENT = ["--quiet", "--log-level", "none"]
# What dbt does not print stands in logs/dbt.log, which those who see it fail are sent to.
LOGGED = [*SILENT, "--log-level-file", "debug"]


def dbt_call(warehouse: Path, folder: Path, project: Path) -> tuple[list[str], dict[str, str], Path]:
    """Return how dbt is called on a warehouse that is not the user's: command, environment, folder to call it in.

    dbt's artifacts and logs go to `folder`. It is called beside the warehouse, which so has the same name in every
    call: dbt reads a project anew when an environment variable of the profile has changed, and that takes longer than
    most builds. Warehouses of one file name and one `folder` share what was read.
    """
    environment = {
        "WAREHOUSE": warehouse.name,
        "DBT_TARGET_PATH": str(folder.resolve() / "target"),
        "DBT_LOG_PATH": str(folder.resolve() / "logs"),
        "DBT_TARGET": "duckdb",
        "PII_KEY": pii_key(project / KEY_FILE).decode(),
        "PYTHONPATH": str(project.resolve()),
        "DBT_PROJECT_DIR": str(project.resolve()),
        "DBT_PROFILES_DIR": str(project.resolve()),
    }
    return [str(Path(sys.executable).parent / "dbt")], environment, warehouse.resolve().parent


def dbt_on(
    warehouse: Path, folder: Path, *arguments: str, project: Path | None = None, manifest: Manifest | None = None
) -> object:
    """Run dbt in this process on a warehouse that is not the user's, artifacts and logs in `folder`; return its result.

    Raises `RuntimeError` with dbt's words when it fails. `project` is where dbt reads it, else where we are. With its
    `manifest`, read for a warehouse of this name, it is not read again.
    """
    _, environment, beside = dbt_call(warehouse, folder, project or Path.cwd())
    before = dict(os.environ)
    try:
        os.environ.update(environment)
        with contextlib.chdir(beside), released():
            done = dbtRunner(manifest=manifest).invoke([*SILENT, *arguments])
    finally:
        os.environ.clear()
        os.environ.update(before)
    if not done.success:
        words = failures_of(done.result) if done.exception is None else [str(done.exception)]
        raise RuntimeError("\n".join([f"dbt {arguments[0]} failed:", *words]))
    return done.result


@contextlib.contextmanager
def released() -> Iterator[None]:
    """Close the warehouse in the end: dbt keeps it open as long as its process lives, and nobody else could read it."""
    try:
        yield
    finally:
        DuckDBConnectionManager.close_all_connections()


def failures_of(result: object) -> list[str]:
    """Return the nodes that failed in a run of dbt, each with its reason."""
    return [
        f"{node.node.name}: {' '.join((node.message or str(node.status)).split())}"
        for node in result.results
        if str(node.status) not in GOOD and str(node.status) != "skipped"
    ]


def print_event(event: object) -> None:
    """Print an event of dbt's as `dbt --log-format json` does, a line of JSON; what is for debugging is left out."""
    if event.info.level != "debug" or event.info.name in ("NodeStart", "NodeFinished"):
        sys.stdout.write(msg_to_json(event) + "\n")
        sys.stdout.flush()


def build_and_document(
    console: Console, variables: dict[str, str], in_full: bool, seen: list[Callable[[object], None]]
) -> BuildResult:
    """Run `dbt build`, then `dbt docs generate --static`, in this process; return the counts, seconds and failures.

    `in_full` builds incremental models anew. All of `seen` are called with every event of the build.
    """
    counts: Counter[str] = Counter()
    failures: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress, released():
        bar = progress.add_task("dbt: reading the project", total=None)

        def show(event: object) -> None:
            name, data = event.info.name, getattr(event, "data", None)
            if name == "LogStartLine":
                progress.update(bar, total=data.total, description=f"dbt: {data.node_info.node_name[:48]:48}")
            elif name == "NodeFinished":
                progress.advance(bar)

        started = time.monotonic()
        given = ["--vars", json.dumps(variables)]
        parsed = dbtRunner().invoke([*LOGGED, "parse", *given])
        if not parsed.success:
            return BuildResult(failures=[str(parsed.exception)])
        runner = dbtRunner(manifest=parsed.result, callbacks=[show, *seen])
        built = runner.invoke([*LOGGED, "build", *(["--full-refresh"] if in_full else []), *given])
        build_seconds = time.monotonic() - started
        if built.result is not None:
            shutil.copy(target_path() / "run_results.json", target_path() / RESULTS)
        else:
            return BuildResult(failures=[str(built.exception)])
        for node in built.result.results:
            counts[str(node.node.resource_type)] += str(node.status) in GOOD and str(node.status) != "warn"
        failures = failures_of(built.result)
        warnings = [node.node.name for node in built.result.results if str(node.status) == "warn"]
        if not failures:
            progress.update(bar, description="dbt: writing the docs page", total=None)
            started = time.monotonic()
            # The build has compiled it all.
            docs = [*LOGGED, "docs", "generate", "--static", "--no-compile", *given]
            documented = dbtRunner(manifest=parsed.result).invoke(docs)
            docs_seconds = time.monotonic() - started
            if not documented.success:
                failures.append(f"docs: {documented.exception}")
        else:
            docs_seconds = 0.0
    return BuildResult(
        models=counts["model"],
        seeds=counts["seed"],
        data_tests=counts["test"],
        unit_tests=counts["unit_test"],
        build_seconds=build_seconds,
        docs_seconds=docs_seconds,
        failures=failures,
        warnings=warnings,
    )
