"""What a warehouse was last built from, and whether that still is how it stands."""

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import yaml

BUILT_FROM = ["models", "macros", "seeds", "snapshots", "tests", "dbt_project.yml", "profiles.yml", "requirements.lock"]
GOOD = {"success", "pass", "warn", "no-op"}
"""What dbt calls a node that stops nothing."""


def project_variables() -> dict[str, Any]:
    """Return dbt's variables as the project has them."""
    return yaml.safe_load(Path("dbt_project.yml").read_text())["vars"]


def given_variables(text: str) -> dict[str, Any]:
    """Return dbt's variables as `--vars` gives them, names and values in YAML; raises `ArgumentTypeError`."""
    try:
        variables = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        variables = None
    if not isinstance(variables, dict):
        raise argparse.ArgumentTypeError("wants names and values, for example '{label_days: 14}'")
    return variables


def variables_of_drift() -> dict[str, Any]:
    """Return from which index on a feature has drifted, and those that drift by nature, by their variables' names."""
    variables = project_variables()
    return {name: variables[name] for name in ("drift_limit", "drifts_by_nature")}


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
