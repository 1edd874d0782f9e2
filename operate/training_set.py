"""Versions of the training tables that never change: Parquet files by split, and a manifest that says what they are."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from operate import recbole
from operate.dbt import dbt_on
from operate.paths import copy_warehouse, warehouse_path
from operate.state import given_variables, project_fingerprint, project_variables

TABLES = {
    "training_examples": ["query_id", "product_id"],
    "training_candidates": ["query_id", "product_id"],
    "training_candidate_features": ["query_id", "product_id"],
    "training_customer_value": ["customer_id", "feature_at"],
    "training_sequences": ["query_id"],
    "feature_statistics": ["feature", "split"],
    "feature_selection": ["feature", "label"],
}
"""What a version holds, each with its key."""
SPLITS = {"training_candidate_features": ("test",)}
ALL_SPLITS = ("train", "validation", "test")
"""What of a table is kept: features of candidates only where a ranker is judged by them."""
SELECT = "path:models/intermediate/training path:models/marts/training"
MANIFEST = "manifest.json"


class Refused(Exception):
    """A version that cannot be made or read, with what to do."""


def sets_path() -> Path:
    """Return where versions are kept: `TRAINING_SETS`, else `training_sets` beside the warehouse."""
    return Path(os.environ.get("TRAINING_SETS", warehouse_path().parent / "training_sets"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument(
        "action", nargs="*", metavar="diff A B | recbole A FOLDER", help="compare two versions; hand one to RecBole"
    )
    parser.add_argument("--name", help="the name of the version, for example 2026-07")
    day = lambda text: datetime.strptime(text, "%Y-%m-%d").date()  # noqa: E731
    parser.add_argument(
        "--vars", type=given_variables, default={}, help="dbt variables in YAML, for example '{label_days: 14}'"
    )
    parser.add_argument(
        "--until", type=day, metavar="DATE", help="what became known on this day or later counts for nothing"
    )


def training_set(options: argparse.Namespace) -> int:
    """Write a version, or compare two; return 0, or 1 with the reason (two versions that differ: 1)."""
    try:
        match options.action:
            case ["diff", one, other]:
                return diff(folder_of(one), folder_of(other))
            case ["recbole", version, folder]:
                for file, rows in recbole.export(folder_of(version), Path(folder)).items():
                    print(f"{file}: {rows:,} rows")
                return 0
            case [_, *_]:
                raise Refused("there are: training-set diff A B, training-set recbole A FOLDER, training-set --name A")
        if not options.name:
            raise Refused("a version needs a name: python -m operate training-set --name 2026-07 --until 2026-07-01")
        manifest = write(options.name, options.until, options.vars)
    except (Refused, FileExistsError, RuntimeError, duckdb.Error) as problem:
        print(problem, file=sys.stderr)
        return 1
    for table, told in manifest["tables"].items():
        print(f"{table}: {told['rows']:,} rows, {len(told['columns'])} columns")
    print(f"content {manifest['content_hash']}\n{sets_path() / options.name}")
    return 0


def folder_of(version: str) -> Path:
    """Return the folder of a version that is there; raises `Refused`."""
    for folder in (sets_path() / version, Path(version)):
        if (folder / MANIFEST).exists():
            return folder
    kept = sorted(path.parent.name for path in sets_path().glob(f"*/{MANIFEST}"))
    raise Refused(f"there is no version {version}; there are: {', '.join(kept) or 'none'}")


def write(name: str, until: date | None, variables: dict) -> dict:
    """Build the training tables as of `until` in a copy of the warehouse and keep them; return the manifest.

    `variables` are dbt's, for those that are not to be as in dbt_project.yml.

    The warehouse is read, never written. Raises `Refused` when the version is there already, `RuntimeError` when dbt
    fails.
    """
    folder, warehouse = sets_path() / name, warehouse_path()
    if folder.exists():
        raise Refused(f"{folder} is there already, and a version is never overwritten: take another name")
    if not warehouse.exists():
        raise Refused(f"there is no warehouse at {warehouse} yet: python -m load, dbt build")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as temporary:
        copy, made = Path(temporary) / warehouse.name, Path(temporary) / "version"
        copy_warehouse(warehouse, copy)
        variables = variables | {"training_until": until.isoformat() if until else None}
        select = [*SELECT.split(), "--exclude", "test_type:unit"]
        dbt_on(copy.resolve(), copy.parent.resolve(), "build", "--vars", json.dumps(variables), "--select", *select)
        made.mkdir()
        with duckdb.connect(str(copy), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            manifest = {"name": name, "made_at": datetime.now(UTC).isoformat(timespec="seconds")}
            manifest |= origin(connection, variables) | {"tables": {}}
            for table, key in TABLES.items():
                manifest["tables"][table] = export(connection, table, key, made)
        hashes = [(table, told["content_hash"]) for table, told in manifest["tables"].items()]
        manifest["content_hash"] = hashlib.sha256(repr(hashes).encode()).hexdigest()
        (made / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        for file in made.rglob("*"):
            if file.is_file():
                file.chmod(0o444)
        try:
            made.rename(folder)
        except OSError as error:
            raise Refused(f"{folder} cannot be written: {error}") from error
    return manifest


def origin(connection: duckdb.DuckDBPyConnection, variables: dict) -> dict:
    """Return what a version was made from: what landed, the code, the days on which splits begin."""
    landed = connection.execute(
        """select source, cast(sum(records_landed) as bigint), cast(sum(records_accepted) as bigint),
            cast(sum(records_rejected) as bigint), cast(sum(records_duplicate) as bigint),
            count(distinct load_id), max(load_id)
        from operations.landed_records group by source order by source"""
    ).fetchall()
    names = ("landed", "accepted", "rejected", "duplicate", "loads", "last_load")
    cutoffs = connection.execute("from intermediate.int_training_cutoffs")
    days = zip((column[0] for column in cutoffs.description), map(str, cutoffs.fetchone()), strict=True)
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    return {
        "raw": {source: dict(zip(names, numbers, strict=True)) for source, *numbers in landed},
        "code": {
            "commit": git.stdout.strip() or None,
            "project": project_fingerprint({}),
            "duckdb": duckdb.__version__,
        },
        "variables": project_variables() | variables,
        "cutoffs": dict(days),
    }


def export(connection: duckdb.DuckDBPyConnection, table: str, key: list[str], to: Path) -> dict:
    """Write a table as Parquet, a folder a split where it has splits; return its columns, rows and content hash.

    The hash is of the values, whatever their order: another machine with the same inputs comes to the same.
    """
    columns = connection.execute(f"describe training.{table}").fetchall()
    types = {name: kind for name, kind, *_ in columns}
    split = "split" in types
    wanted = ", ".join(f"'{name}'" for name in SPLITS.get(table, ALL_SPLITS))
    kept = f"where split in ({wanted})" if split else ""
    selected = f"(select * from training.{table} {kept} order by {', '.join(key)})"
    partition = ", partition_by (split)" if split else ""
    target = to / table if split else to / f"{table}.parquet"
    # One thread, in the order of the key: the same bytes every time.
    connection.execute("set threads = 1")
    connection.execute(f"copy {selected} to '{target}' (format parquet, compression zstd{partition})")
    connection.execute("reset threads")
    # As text, doubles shortest first: sums of MD5 halves over all rows, whatever their order.
    values = ", ".join(f"{name} := cast({name} as varchar)" for name in sorted(types))
    text = f"cast(struct_pack({values}) as varchar)"
    rows, *sums = connection.execute(
        f"""select count(*), sum(cast(md5_number_lower(line) as hugeint)), sum(cast(md5_number_upper(line) as hugeint))
        from (select {text} as line from training.{table} {kept})"""
    ).fetchone()
    content = hashlib.sha256(repr((sorted(types.items()), rows, sums)).encode()).hexdigest()
    told = {"rows": rows, "content_hash": content, "key": key, "columns": types}
    if split:
        counts = f"select split, count(*) from training.{table} {kept} group by split order by split"
        told["rows_by_split"] = dict(connection.execute(counts).fetchall())
    return told


def diff(one: Path, other: Path) -> int:
    """Say which rows and columns differ between two versions; return 1 when any does."""
    manifests = [json.loads((folder / MANIFEST).read_text()) for folder in (one, other)]
    same = manifests[0]["content_hash"] == manifests[1]["content_hash"]
    print(f"{one.name} and {other.name} hold " + ("the same" if same else "different content"))
    for what in ("cutoffs", "variables"):
        before, after = (manifest[what] for manifest in manifests)
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                print(f"  {what}: {name} was {before.get(name)}, is {after.get(name)}")
    for table, key in TABLES.items():
        told = [manifest["tables"][table] for manifest in manifests]
        if told[0]["content_hash"] != told[1]["content_hash"]:
            compare(one, other, table, key, *(entry["columns"] for entry in told))
    return 0 if same else 1


def compare(one: Path, other: Path, table: str, key: list[str], before: dict, after: dict) -> None:
    """Print how many rows of a table are gone and new, and in which columns those that stayed differ."""
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    shared = [name for name in before if name in after and name not in key]
    one_file, other_file = (
        f"read_parquet('{folder / table}/**/*.parquet', hive_partitioning = true)"
        if "split" in kinds
        else f"'{folder / table}.parquet'"
        for folder, kinds in ((one, before), (other, after))
    )
    in_both = f"one.{key[0]} is not null and other.{key[0]} is not null"
    changed = ", ".join(f"count_if(one.{name} is distinct from other.{name} and {in_both})" for name in shared)
    rows_gone, rows_new, *differing = duckdb.execute(
        f"""select count_if(other.{key[0]} is null), count_if(one.{key[0]} is null), {changed}
        from {one_file} as one full join {other_file} as other using ({", ".join(key)})"""
    ).fetchone()
    print(f"  {table}: {rows_gone:,} rows gone, {rows_new:,} new")
    for names, what in ((gone, "gone"), (new, "new")):
        if names:
            print(f"    columns {what}: {', '.join(sorted(names))}")
    for name, number in zip(shared, differing, strict=True):
        if number:
            print(f"    {name}: {number:,} values differ")
