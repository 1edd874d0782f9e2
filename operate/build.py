"""Builds the warehouse and its docs site with dbt, shows how far it is, and sums up what is there."""

import argparse
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from rich.console import Console

from operate.costs import MemoryWatch, complete
from operate.paths import docs_page, target_path, warehouse_path, wide_console
from operate.run_page import RESULTS, run_page, write_run_page
from operate.state import data_fingerprint, last_build, project_fingerprint, remember, stamp, written
from operate.summary import BuildResult, print_summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument("--force", action="store_true", help="build although nothing has changed since the last time")
    parser.add_argument("--picture", type=Path, help="keep the summary as SVG in this file")
    parser.add_argument(
        "--log-format", choices=["text", "json"], default="text", help="json: dbt's events, a line each, for schedulers"
    )


def build_as_told(options: argparse.Namespace) -> int:
    """Build as the command line says; see `build`."""
    tell = None
    if options.log_format == "json":
        from operate.dbt import print_event as tell
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
    # They take seconds to import, and most calls find nothing new.
    from operate.dbt import build_and_document
    from operate.site import write_site

    stamp(warehouse).unlink(missing_ok=True)
    (target_path() / RESULTS).unlink(missing_ok=True)
    with MemoryWatch() as watch:
        seen = [watch.seen, *([tell] if tell else [])]
        result = build_and_document(console, variables, in_full=force or last.get("project") != project, seen=seen)
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
