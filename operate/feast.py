"""Hands the features over to Feast: Parquet files, and feature views of the types that the contracts enforce."""

import argparse
import json
import sys
from pathlib import Path

import duckdb
from dbt_features.catalog import Catalog, FeatureGroup

from operate.catalog import columns_of_models, feature_catalog
from operate.paths import target_path, warehouse_path

TYPES = {
    "bigint": "Int64",
    "boolean": "Bool",
    "double": "Float64",
    "integer": "Int32",
    "string": "String",
    "timestamp": "UnixTimestamp",
}
"""A contract's type to Feast's. What is not here is refused: a type that is guessed is another one online."""
CONFIG = """\
project: shopsmart
provider: local
registry: data/registry.db
offline_store: {type: duckdb}
online_store: {type: sqlite, path: data/online_store.db}
entity_key_serialization_version: 3
"""
HEAD = '''\
"""Feature views of XYZShopSmart, written by `python -m operate feast` from the contracts of the models.

A row speaks for the day that begins at feature_at: `ttl` is as long as it does, so that no older row stands in for it.
"""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import {types}
'''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument("folder", type=Path, help="where to write the feature repository; written anew if it is one")


def feast(options: argparse.Namespace) -> int:
    """Write a Feast feature repository and say what to do with it; return 0, or 1 with the reason."""
    try:
        rows = export(options.folder, target_path(), warehouse_path())
    except (FileExistsError, FileNotFoundError, ValueError, duckdb.Error) as problem:
        print(problem, file=sys.stderr)
        return 1
    for table, (kept, left) in rows.items():
        print(f"{table}: {kept:,} rows" + (f", {left:,} left out, whose key has a null" if left else ""))
    print(f"now: cd {options.folder} && feast apply && feast materialize 2000-01-01T00:00:00 2100-01-01T00:00:00")
    return 0


def export(folder: Path, artifacts: Path, warehouse: Path) -> dict[str, tuple[int, int]]:
    """Write `feature_store.yaml`, `features.py` and `data/TABLE.parquet`; return rows written and left out, by table.

    `artifacts` is where dbt wrote its manifest. Rows with a null in their key are left out: Feast has no such entities.
    Raises `FileExistsError` when the folder holds anything else, `FileNotFoundError` when nothing is built,
    `ValueError` when a column has a type that Feast has no name for.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "feature_store.yaml").exists():
        raise FileExistsError(f"{folder} holds something else: take another folder")
    if not warehouse.exists() or not (artifacts / "manifest.json").exists():
        raise FileNotFoundError("nothing is built yet: run make build or dbt build first")
    catalog = feature_catalog(artifacts)
    code = repository(catalog, artifacts)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    rows = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        for group in catalog.feature_groups:
            rows[group.name] = write_rows(connection, group, folder / "data" / f"{group.name}.parquet")
    (folder / "features.py").write_text(code)
    (folder / "feature_store.yaml").write_text(CONFIG)
    return rows


def write_rows(connection: duckdb.DuckDBPyConnection, group: FeatureGroup, file: Path) -> tuple[int, int]:
    """Write a table's rows, feature_at with its time zone; return how many, and how many were left out."""
    whole = " and ".join(f"{name} is not null" for name in join_keys(group))
    table = f"{group.schema_name}.{group.name}"
    zoned = f"timezone('UTC', {group.timestamp_column}) as {group.timestamp_column}"
    part = file.with_suffix(".part")
    connection.execute(
        f"copy (select * replace ({zoned}) from {table} where {whole} order by {', '.join(group.grain)}) "
        f"to '{part}' (format parquet, compression zstd)"
    )
    part.replace(file)
    return connection.execute(f"select count_if({whole}), count_if(not ({whole})) from {table}").fetchone()


def join_keys(group: FeatureGroup) -> list[str]:
    """Return the columns that tell rows of one moment apart."""
    return [name for name in group.grain if name != group.timestamp_column]


def repository(catalog: Catalog, artifacts: Path) -> str:
    """Return the code of the feature repository: entities, a view for each table, a service for each model."""
    models = columns_of_models(artifacts)
    entities: dict[str, str] = {}
    views, used = [], set()
    services: dict[str, list[str]] = {}
    for group in catalog.feature_groups:
        columns = models[group.unique_id]
        for name in join_keys(group):
            if columns[name]["data_type"] != "string":
                raise ValueError(f"{group.name}.{name} is a {columns[name]['data_type']}: a key is a string")
            entities.setdefault(name, columns[name]["description"])
        fields = []
        for feature in group.features:
            column = columns[feature.name]
            kind = TYPES.get(column["data_type"])
            if kind is None:
                raise ValueError(f"Feast has no type for {group.name}.{feature.name}: {column['data_type']}")
            used.add(kind)
            tags = {"window": column["meta"]["window"], "null_means": column["meta"]["null_means"]}
            words = f"description={quoted(feature.description)}, tags={tags!r}"
            fields.append(f"        Field(name={quoted(feature.name)}, dtype={kind}, {words}),")
        views.append(view(group, fields))
        for service in sorted({name for feature in group.features for name in feature.used_by}):
            services.setdefault(service, []).append(group.name)
    made = [HEAD.format(types=", ".join(sorted(used)))]
    made += [
        f"{name} = Entity(\n    name={quoted(name)}, join_keys=[{quoted(name)}], value_type=ValueType.STRING,\n"
        f"    description={quoted(words)},\n)\n"
        for name, words in entities.items()
    ]
    made += views
    made += [
        f"{name} = FeatureService(name={quoted(name)}, features=[{', '.join(tables)}])\n"
        for name, tables in sorted(services.items())
    ]
    return "\n".join(made)


def view(group: FeatureGroup, fields: list[str]) -> str:
    """Return the code of a table's feature view."""
    data = f"data/{group.name}.parquet"
    return "\n".join(
        [
            f"{group.name} = FeatureView(",
            f"    name={quoted(group.name)},",
            f"    description={quoted(group.description)},",
            f"    owner={quoted(group.owner or '')},",
            f"    entities=[{', '.join(join_keys(group))}],",
            f"    ttl=timedelta(days={group_days(group)}, microseconds=-1),",
            f"    source=FileSource(path={quoted(data)}, timestamp_field={quoted(group.timestamp_column)}),",
            "    schema=[",
            *fields,
            "    ],",
            ")\n",
        ]
    )


def group_days(group: FeatureGroup) -> int:
    """Return for how many days a row speaks."""
    return {"daily": 1, "weekly": 7}[group.time_grain]


def quoted(text: str) -> str:
    """Return a text as a Python string in double quotes."""
    return json.dumps(text, ensure_ascii=False)
