"""Builds the warehouse and its docs site with dbt, shows how far it is, and sums up what is there."""

import argparse
import contextlib
import json
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.functions import msg_to_json
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from operate.costs import MemoryWatch, complete
from operate.paths import KEY_FILE, docs_page, target_path, warehouse_path, wide_console
from operate.personal_data import pii_key
from operate.run_page import RESULTS, run_page, write_run_page
from operate.site import write_site
from operate.state import GOOD, data_fingerprint, last_build, project_fingerprint, remember, stamp, written
from operate.summary import BuildResult, print_summary

# dbt writes its log to logs/dbt.log all the same.
SILENT = ["--quiet", "--log-level", "none"]


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
        with contextlib.chdir(beside):
            done = dbtRunner(manifest=manifest).invoke([*SILENT, *arguments])
    finally:
        DuckDBConnectionManager.close_all_connections()
        os.environ.clear()
        os.environ.update(before)
    if not done.success:
        words = failures_of(done.result) if done.exception is None else [str(done.exception)]
        raise RuntimeError("\n".join([f"dbt {arguments[0]} failed:", *words]))
    return done.result


def failures_of(result: object) -> list[str]:
    """Return the nodes that failed in a run of dbt, each with its reason."""
    return [
        f"{node.node.name}: {' '.join((node.message or str(node.status)).split())}"
        for node in result.results
        if str(node.status) not in GOOD and str(node.status) != "skipped"
    ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument("--force", action="store_true", help="build although nothing has changed since the last time")
    parser.add_argument("--picture", type=Path, help="keep the summary as SVG in this file")
    parser.add_argument(
        "--log-format", choices=["text", "json"], default="text", help="json: dbt's events, a line each, for schedulers"
    )


def build_as_told(options: argparse.Namespace) -> int:
    """Build as the command line says; see `build`."""
    tell = print_event if options.log_format == "json" else None
    return build(force=options.force, picture=options.picture, tell=tell)


def build(
    force: bool = False,
    variables: dict[str, str] | None = None,
    picture: Path | None = None,
    tell: Callable[[object], None] | None = None,
) -> int:
    """Run `dbt build` and write the docs site, unless nothing has changed since that last went well; print the summary.

    What was built by another version of the project is built in full, or incremental tables would mix the two.
    `variables` override those of dbt_project.yml, like dbt's own `--vars`. `picture` is where the summary goes as SVG.
    `tell` is called with every event of the build, as dbt calls its callbacks; what a person reads goes to standard
    error then. Returns 0 when every model was built and every test passed, 1 otherwise.
    """
    console = wide_console(record=picture is not None, stderr=tell is not None)
    warehouse = warehouse_path()
    if os.environ.get("DBT_TARGET") == "readers":
        console.print("DBT_TARGET=readers is what readers open, and nobody builds there: [bold]unset DBT_TARGET[/bold]")
        return 1
    if not warehouse.exists():
        console.print(f"There is no warehouse at {warehouse} yet. Load something first: [bold]python -m load[/bold]")
        return 1
    if (problem := not_ours(warehouse)) is not None:
        words = f"[red]✗[/red] {warehouse} cannot be written: {problem}\nClose what has it open and try again."
        console.print(words, highlight=False, soft_wrap=True)
        return 1
    variables = variables or {}
    project, data, last = project_fingerprint(variables), data_fingerprint(warehouse), last_build(warehouse)
    if (
        not force
        and docs_page().exists()
        and last == last | {"project": project, "data": data, "written": written(warehouse)}
    ):
        print_summary(console, warehouse, docs_page(), BuildResult(**last["result"]), is_new=False)
        save(console, picture)
        return 0
    stamp(warehouse).unlink(missing_ok=True)
    (target_path() / RESULTS).unlink(missing_ok=True)
    with MemoryWatch() as watch:
        seen = [watch.seen, *([tell] if tell else [])]
        result = run_dbt(console, variables, in_full=force or last.get("project") != project, seen=seen)
    # dbt keeps the warehouse open as long as its process lives; nothing else could read it.
    DuckDBConnectionManager.close_all_connections()
    try:
        complete(warehouse, watch)
        if result.failures:
            write_run_page(target_path(), warehouse, result.failures)
    except duckdb.Error as problem:
        # Somebody reads it: what it cost stays half told, and that is no reason to fail.
        console.print(f"[yellow]![/yellow] bytes and memory are not known: {problem}", highlight=False, soft_wrap=True)
    if not result.failures:
        started = time.monotonic()
        write_site(target_path(), warehouse)
        result.docs_seconds += time.monotonic() - started
    # Failed or not, the tables are those of this version now.
    remember(warehouse, {"project": project, "failures": result.failures})
    if result.failures:
        for failure in result.failures:
            console.print(f"[red]✗[/red] {failure}", highlight=False, soft_wrap=True)
        console.print(f"[red]{len(result.failures)} failed.[/red] {run_page(target_path())}, logs/dbt.log have more")
        return 1
    state = {"project": project, "data": data, "written": written(warehouse)}
    remember(warehouse, state | {"result": result.as_dict()})
    print_summary(console, warehouse, docs_page(), result, is_new=True)
    save(console, picture)
    return 0


def not_ours(warehouse: Path) -> str | None:
    """Return what DuckDB says when somebody else has the warehouse open, for reading or writing; None when nobody has.

    Asked before anything is done: dbt would fail at its first node, with the tables as they were.
    """
    try:
        duckdb.connect(str(warehouse)).close()
    except duckdb.IOException as problem:
        return str(problem)
    return None


def save(console: Console, picture: Path | None) -> None:
    """Write what was printed to `picture` as SVG, if that is asked for."""
    if picture is not None:
        # Without the fonts that rich would have a browser fetch: the picture stands by itself.
        svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="make build"), flags=re.DOTALL)
        picture.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def print_event(event: object) -> None:
    """Print an event of dbt's as `dbt --log-format json` does, a line of JSON; what is for debugging is left out."""
    if event.info.level != "debug" or event.info.name in ("NodeStart", "NodeFinished"):
        sys.stdout.write(msg_to_json(event) + "\n")
        sys.stdout.flush()


def run_dbt(
    console: Console, variables: dict[str, str], in_full: bool, seen: list[Callable[[object], None]]
) -> BuildResult:
    """Run `dbt build`, then `dbt docs generate --static`, in this process; return the counts, seconds and failures.

    `in_full` builds incremental models anew. All of `seen` are called with every event of the build.
    """
    counts: Counter[str] = Counter()
    failures: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("dbt: reading the project", total=None)

        def show(event: object) -> None:
            name, data = event.info.name, getattr(event, "data", None)
            if name == "LogStartLine":
                progress.update(bar, total=data.total, description=f"dbt: {data.node_info.node_name[:48]:48}")
            elif name == "NodeFinished":
                progress.advance(bar)

        started = time.monotonic()
        given = ["--vars", json.dumps(variables)]
        parsed = dbtRunner().invoke([*SILENT, "parse", *given])
        if not parsed.success:
            return BuildResult(failures=[str(parsed.exception)])
        runner = dbtRunner(manifest=parsed.result, callbacks=[show, *seen])
        built = runner.invoke([*SILENT, "build", *(["--full-refresh"] if in_full else []), *given])
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
            docs = [*SILENT, "docs", "generate", "--static", "--no-compile", *given]
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
