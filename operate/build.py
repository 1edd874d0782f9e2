"""Builds the warehouse and its docs site with dbt, shows how far it is, and sums up what is there."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt_common.events.functions import msg_to_json
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from operate.personal_data import KEY_FILE, pii_key
from operate.site import write_site
from operate.summary import BuildResult, print_summary

BUILT_FROM = ["models", "macros", "seeds", "snapshots", "tests", "dbt_project.yml", "profiles.yml", "requirements.lock"]
# dbt writes its log to logs/dbt.log all the same.
SILENT = ["--quiet", "--log-level", "none"]
GOOD = {"success", "pass", "warn", "no-op"}


def warehouse_path() -> Path:
    """Return where the warehouse is built: `WAREHOUSE`, else `warehouse/warehouse.duckdb`."""
    return Path(os.environ.get("WAREHOUSE", "warehouse/warehouse.duckdb"))


def target_path() -> Path:
    """Return where dbt writes its artifacts and the docs page."""
    return Path(os.environ.get("DBT_TARGET_PATH", "target"))


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
        "PII_KEY": pii_key(project / KEY_FILE).decode(),
        "PYTHONPATH": str(project.resolve()),
        "DBT_PROJECT_DIR": str(project.resolve()),
        "DBT_PROFILES_DIR": str(project.resolve()),
    }
    return [str(Path(sys.executable).parent / "dbt")], environment, warehouse.resolve().parent


def dbt_on(warehouse: Path, folder: Path, *arguments: str, project: Path | None = None) -> None:
    """Run dbt on a warehouse that is not the user's, its artifacts and logs in `folder`.

    Raises `RuntimeError` with dbt's words when it fails. `project` is where dbt reads it, else where we are.
    """
    command, environment, beside = dbt_call(warehouse, folder, project or Path.cwd())
    call = [*command, "--quiet", *arguments]
    done = subprocess.run(call, env=os.environ | environment, cwd=beside, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"dbt {arguments[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")


def project_fingerprint(variables: dict[str, str]) -> str:
    """Return a hash of what a table's content depends on beside the data: the project's files, dbt's variables."""
    digest = hashlib.sha256()
    for root in map(Path, BUILT_FROM):
        for file in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if file.is_file() and file.suffix in {".sql", ".yml", ".csv", ".md", ".lock"}:
                digest.update(f"{file} ".encode() + file.read_bytes())
    digest.update(repr((os.environ.get("DBT_TARGET"), os.environ.get("PII_KEY"), variables)).encode())
    return digest.hexdigest()


def data_fingerprint(warehouse: Path) -> str:
    """Return a hash of the loads in the warehouse that were completed."""
    digest = hashlib.sha256()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        schemas = connection.execute(
            "select table_schema from information_schema.tables where table_name = '_dlt_loads' order by 1"
        ).fetchall()
        for (schema,) in schemas:
            loads = connection.execute(
                f"select load_id from {schema}._dlt_loads where status = 0 order by 1"
            ).fetchall()
            digest.update(repr((schema, loads)).encode())
    return digest.hexdigest()


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
    result = run_dbt(console, variables, in_full=force or last.get("project") != project, tell=tell)
    # dbt keeps the warehouse open as long as its process lives; nothing else could read it.
    DuckDBConnectionManager.close_all_connections()
    if not result.failures:
        started = time.monotonic()
        write_site(target_path(), warehouse)
        result.docs_seconds += time.monotonic() - started
    # Failed or not, the tables are those of this version now.
    remember(warehouse, {"project": project})
    if result.failures:
        for failure in result.failures:
            console.print(f"[red]✗[/red] {failure}", highlight=False, soft_wrap=True)
        console.print(f"[red]{len(result.failures)} failed.[/red] The log has more: logs/dbt.log")
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


def stamp(warehouse: Path) -> Path:
    """Return where it is kept what a warehouse was last built from."""
    return warehouse.with_suffix(".built.json")


def last_build(warehouse: Path) -> dict:
    """Return what the last build was made from (`project`, `data`, `written`) and what it came to; empty if unknown."""
    try:
        return json.loads(stamp(warehouse).read_text())
    except (OSError, ValueError):
        return {}


def remember(warehouse: Path, told: dict) -> None:
    """Keep what a build was made from, all of it at once."""
    part = stamp(warehouse).with_suffix(".part")
    part.write_text(json.dumps(told))
    part.replace(stamp(warehouse))


def written(warehouse: Path) -> int:
    """Return when a warehouse was last written to, in nanoseconds: by anybody, plain dbt too."""
    return warehouse.stat().st_mtime_ns


def passed_state(warehouse: Path) -> str | None:
    """Return what names the state of a warehouse that was built and passed all tests; None when it did not.

    None as well when anybody has written to it since.
    """
    last = last_build(warehouse)
    if "data" not in last or last.get("written") != written(warehouse):
        return None
    return json.dumps({name: last[name] for name in ("project", "data", "written")})


def wide_console(record: bool = False, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal; where there is none, wide enough for the tables."""
    console = Console(record=record, stderr=stderr)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(width=110, record=record, stderr=stderr)


def save(console: Console, picture: Path | None) -> None:
    """Write what was printed to `picture` as SVG, if that is asked for."""
    if picture is not None:
        # Without the fonts that rich would have a browser fetch: the picture stands by itself.
        svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="make build"), flags=re.DOTALL)
        picture.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def docs_page() -> Path:
    """Return the first page of the docs site, which opens without a server."""
    return target_path() / "site" / "index.html"


def print_event(event: object) -> None:
    """Print an event of dbt's as `dbt --log-format json` does, a line of JSON; what is for debugging is left out."""
    if event.info.level != "debug" or event.info.name in ("NodeStart", "NodeFinished"):
        sys.stdout.write(msg_to_json(event) + "\n")
        sys.stdout.flush()


def run_dbt(
    console: Console, variables: dict[str, str], in_full: bool, tell: Callable[[object], None] | None = None
) -> BuildResult:
    """Run `dbt build`, then `dbt docs generate --static`, in this process; return the counts, seconds and failures.

    `in_full` builds incremental models anew. `tell` is called with every event of the build.
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
        runner = dbtRunner(manifest=parsed.result, callbacks=[show, *([tell] if tell else [])])
        built = runner.invoke([*SILENT, "build", *(["--full-refresh"] if in_full else []), *given])
        build_seconds = time.monotonic() - started
        if built.result is None:
            return BuildResult(failures=[str(built.exception)])
        for node in built.result.results:
            counts[str(node.node.resource_type)] += 1
            if str(node.status) not in GOOD and str(node.status) != "skipped":
                failures.append(f"{node.node.name}: {' '.join((node.message or str(node.status)).split())}")
        if not failures:
            progress.update(bar, description="dbt: writing the docs page", total=None)
            started = time.monotonic()
            documented = dbtRunner(manifest=parsed.result).invoke([*SILENT, "docs", "generate", "--static", *given])
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
    )
