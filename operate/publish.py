"""Publishes what was built and passed: a compact, read-only copy of the marts that takes the last one's place at once.

Readers open `PUBLISHED`. They never see half a copy, and they hold up nobody: whoever has the file open keeps the copy
that they opened, whoever opens it next has the new one. The last few copies are kept, each a file of its own beside it.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import duckdb
from dbt_features.parser import load_manifest

from operate.literals import literal
from operate.paths import warehouse_path

SCHEMAS = ("core", "features", "training", "operations")
"""What readers get: no raw, no staging, so no personal data."""
KEPT = 5
TIME = "%Y%m%dT%H%M%S.%fZ"
"""A copy is named by its time."""


class Refused(Exception):
    """Nothing was published or taken back; the message says why and what to do."""


@dataclass(frozen=True)
class Version:
    """A published copy: its name, when it was made (UTC), how large it is in bytes, whether readers see it now."""

    name: str
    published_at: datetime
    size: int
    is_current: bool


def published_path() -> Path:
    """Return what readers open: `PUBLISHED`, else `published.duckdb` beside the warehouse."""
    return Path(os.environ.get("PUBLISHED") or warehouse_path().parent / "published.duckdb")


def versions_path(published: Path) -> Path:
    """Return the folder that holds the copies which readers see or saw."""
    return published.with_suffix(".versions")


def versions(published: Path) -> list[Version]:
    """Return the copies that are kept, newest first."""
    current = current_version(published)
    found = []
    for file in sorted(versions_path(published).glob("*.duckdb"), reverse=True):
        try:
            at = datetime.strptime(file.stem, TIME).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append(Version(file.stem, at, file.stat().st_size, file.stem == current))
    return found


def current_version(published: Path) -> object | None:
    """Return the name of the copy that readers have; None when there is none, or none that can be read."""
    try:
        return publication(published).get("version")
    except duckdb.Error:
        return None


def publication(published: Path) -> dict[str, object]:
    """Return what the copy that readers have says of itself: version, published_at, built_from; nothing without one."""
    if not published.exists():
        return {}
    with duckdb.connect(str(published), read_only=True) as connection:
        row = connection.execute("select version, published_at, built_from from operations.publication").fetchone()
    return dict(zip(("version", "published_at", "built_from"), row, strict=True))


def publish(
    warehouse: Path,
    published: Path,
    words: dict[str, str] | None = None,
    kept: int = KEPT,
    built_from: str = "",
    still: Callable[[], bool] = lambda: True,
) -> Version:
    """Put a copy of the warehouse's marts in the place of what readers open, and return it.

    `words` are descriptions by `schema.table` and `schema.table.column`; they become comments that any client shows,
    and only tables that they name are copied (all, where there are none). `kept` copies stay. `built_from` is kept in
    `operations.publication` for whoever asks. `still` is asked when nobody can write to the warehouse any more: whether
    it is what was meant. Killed at any moment, it leaves what readers open as it was or new, never anything between.
    Raises `Refused` when there is nothing to publish, it is not what was meant, or somebody else publishes.
    """
    folder = versions_path(published)
    folder.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(published):
        clear(published)
        # A clock that was set back must not put the newest copy behind others.
        now = max([datetime.now(UTC), *(v.published_at + timedelta(microseconds=1) for v in versions(published))])
        name = f"{now:{TIME}}"
        part = folder / f"{name}.part"
        about = {"version": name, "published_at": now.replace(tzinfo=None), "built_from": built_from}
        try:
            copy_marts(warehouse, part, about, words or {}, still)
        except Refused:
            part.unlink(missing_ok=True)
            raise
        part.chmod(0o444)
        # First what readers open: a copy that they never had must not look like one.
        point(published, part)
        version = part.rename(folder / f"{name}.duckdb")
        for old in [v for v in versions(published) if not v.is_current][max(kept - 1, 0) :]:
            forget(published, old.name)
    return Version(name, now, version.stat().st_size, True)


def clear(published: Path) -> None:
    """Clear away what a killed publication left; if readers have it already, it only had not got its name yet."""
    current = current_version(published)
    for left in versions_path(published).glob("*.part*"):
        if left.suffix == ".part" and left.stem == current:
            left.rename(left.with_suffix(".duckdb"))
        else:
            left.unlink()


def forget(published: Path, name: str) -> None:
    """Delete a copy that readers do not have."""
    for suffix in ("duckdb", "taken_back"):
        (versions_path(published) / f"{name}.{suffix}").unlink(missing_ok=True)


def rollback(published: Path, name: str | None = None) -> Version:
    """Give readers an earlier copy again, the one before the current that was not taken back, or the one named.

    What readers had until then counts as taken back. Returns what they have now; raises `Refused` when there is none.
    """
    with one_at_a_time(published):
        clear(published)
        known = versions(published)
        current = next((place for place, version in enumerate(known) if version.is_current), None)
        if name is None:
            earlier = [
                version
                for version in known[0 if current is None else current + 1 :]
                if not mark_of(published, version.name).exists()
            ]
        else:
            earlier = [version for version in known if version.name == name]
        if not earlier:
            there = ", ".join(version.name for version in known) or "none"
            raise Refused(f"there is no {f'copy {name}' if name else 'earlier copy'} to go back to; there are: {there}")
        chosen = earlier[0]
        if current is not None and known[current] != chosen:
            mark_of(published, known[current].name).touch()
        mark_of(published, chosen.name).unlink(missing_ok=True)
        point(published, versions_path(published) / f"{chosen.name}.duckdb")
        return chosen


def mark_of(published: Path, name: str) -> Path:
    """Return the file that says of a copy that it was taken back."""
    return versions_path(published) / f"{name}.taken_back"


def taken_back(published: Path, built_from: str) -> list[str]:
    """Return the names of copies of a state that readers had until they were taken back."""
    return [
        version.name
        for version in versions(published)
        if mark_of(published, version.name).exists()
        and publication(versions_path(published) / f"{version.name}.duckdb").get("built_from") == built_from
    ]


@contextmanager
def one_at_a_time(published: Path) -> Iterator[None]:
    """Hold the lock of whoever changes what readers open; a killed holder lets go by itself. Raises `Refused`."""
    published.parent.mkdir(parents=True, exist_ok=True)
    with published.with_name(f"{published.name}.lock").open("a") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise Refused(f"somebody else is publishing {published}: wait until they are done") from None
        yield


def point(published: Path, version: Path) -> None:
    """Have readers open a version from now on. The rename is what makes it happen, all of it at once."""
    following = published.with_name(f"{published.name}.next")
    following.unlink(missing_ok=True)
    try:
        os.link(version, following)
    except OSError:
        # There are no links on this disk: a copy takes longer and twice the room.
        shutil.copy2(version, following)
    synced(following)
    following.replace(published)
    synced(published.parent)


def synced(path: Path) -> None:
    """Have the disk hold what was written to a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_marts(
    warehouse: Path, to: Path, about: dict[str, object], words: dict[str, str], still: Callable[[], bool]
) -> None:
    """Write the marts of a warehouse into a new DuckDB file, `about` as a table of one row, and comments.

    A view stays one where it reads nothing but marts; another becomes a table of its rows. Raises `Refused` when there
    are no marts.
    """
    with duckdb.connect(str(to)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        try:
            # Under its own name, by which its views know their tables.
            connection.execute(f"attach {literal(str(warehouse))} (read_only)")
        except duckdb.Error as problem:
            raise Refused(f"{warehouse} cannot be read: {problem}") from None
        if not still():
            raise Refused(f"somebody has written to {warehouse} since it was looked at: begin again")
        (built,) = connection.execute(
            "select database_name from duckdb_databases() where not internal and database_name <> current_database()"
        ).fetchone()
        relations = {
            name: view for name, view in marts(connection, built).items() if not words or ".".join(name) in words
        }
        if not relations:
            raise Refused(f"{warehouse} holds nothing to publish yet: build it first (make build, dbt build)")
        for schema in SCHEMAS:
            connection.execute(f"create schema {schema}")
        for (schema, table), view in relations.items():
            if view is None:
                connection.execute(f'create table {schema}.{table} as from "{built}".{schema}.{table}')
        make_views(connection, [elsewhere(view) for view in relations.values() if view is not None])
        connection.execute(
            "create table operations.publication as select "
            "$version as version, cast($published_at as timestamp) as published_at, $built_from as built_from",
            about,
        )
        comment(connection, words)


def comment(connection: duckdb.DuckDBPyConnection, words: dict[str, str]) -> None:
    """Keep what is said of the tables, views and columns that are there as comments."""
    kinds = dict(
        connection.execute(
            "select schema_name || '.' || table_name, 'table' from duckdb_tables() "
            "where database_name = current_database() union all "
            "select schema_name || '.' || view_name, 'view' from duckdb_views() "
            "where database_name = current_database()"
        ).fetchall()
    )
    columns = connection.execute(
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where database_name = current_database()"
    ).fetchall()
    kinds |= {column: "column" for (column,) in columns}
    for name, text in words.items():
        if name in kinds:
            connection.execute(f"comment on {kinds[name]} {name} is {literal(text)}")


def make_views(connection: duckdb.DuckDBPyConnection, views: list[str]) -> None:
    """Make views, those that read others after these; raises `Refused` when one cannot be made."""
    while views:
        left, problem = [], None
        for view in views:
            try:
                connection.execute(view)
            except duckdb.Error as error:
                left.append(view)
                problem = error
        if len(left) == len(views):
            raise Refused(f"a view cannot be made in the copy: {problem}")
        views = left


def marts(connection: duckdb.DuckDBPyConnection, database: str) -> dict[tuple[str, str], str | None]:
    """Return the marts of an attached database by schema and name: the statement that makes it, if it is a view.

    A view that reads what readers do not get is published with its rows, and counts as a table: None.
    """
    found = connection.execute(
        "select schema_name, table_name, null from duckdb_tables() where database_name = $1 union all "
        "select schema_name, view_name, sql from duckdb_views() where database_name = $1 order by all",
        [database],
    ).fetchall()
    return {
        (schema, name): view if view is not None and reads_marts_alone(connection, view) else None
        for schema, name, view in found
        if schema in SCHEMAS
    }


def reads_marts_alone(connection: duckdb.DuckDBPyConnection, view: str) -> bool:
    """Return whether a statement that makes a view names no table but those that readers get."""
    (told,) = connection.execute("select json_serialize_sql($1)", [view.split(" AS ", 1)[1]]).fetchone()
    parsed = json.loads(told)
    return not parsed["error"] and schemas_in(parsed) <= set(SCHEMAS)


def schemas_in(parsed: object) -> set[str]:
    """Return the schemas that a parsed statement reads, wherever in it."""
    if isinstance(parsed, list):
        return {schema for part in parsed for schema in schemas_in(part)}
    if isinstance(parsed, dict):
        own = {parsed["schema_name"]} - {""} if parsed.get("type") == "BASE_TABLE" else set()
        return own | schemas_in(list(parsed.values()))
    return set()


def elsewhere(view: str) -> str:
    """Return the statement that makes a view in a database of another name."""
    schemas = "|".join(SCHEMAS)
    return re.sub(rf'(?:"[^"]+"|\b\w+)\.("?(?:{schemas})"?\.)', r"\1", view)


def descriptions(artifacts: Path) -> dict[str, str]:
    """Return what dbt's manifest says of published tables and columns, by `schema.table` and `schema.table.column`."""
    found = {}
    for node in load_manifest(".", manifest_path=artifacts / "manifest.json")["nodes"].values():
        if node["resource_type"] == "model" and node["schema"] in SCHEMAS:
            table = f"{node['schema']}.{node['name']}"
            found[table] = node["description"]
            found |= {f"{table}.{name}": column["description"] for name, column in node["columns"].items()}
    return found
