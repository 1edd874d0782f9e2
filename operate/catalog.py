"""Reads the feature catalog: what the feature models say of themselves under `meta`, as dbt-features understands it."""

from dataclasses import replace
from pathlib import Path

from dbt_features.catalog import Catalog
from dbt_features.parser import load_manifest, parse_project


def columns_of_models(artifacts: Path) -> dict[str, dict[str, dict]]:
    """Return each model's columns by name, as dbt's manifest has them: `data_type`, `description`, `meta` and more.

    Models are named by their unique id. Raises `FileNotFoundError` when there is no manifest.
    """
    nodes = load_manifest(".", manifest_path=artifacts / "manifest.json")["nodes"]
    return {unique_id: node["columns"] for unique_id, node in nodes.items() if node["resource_type"] == "model"}


def feature_catalog(artifacts: Path) -> Catalog:
    """Return the catalog of features, each with its window as a tag, what null means and its sources in its words."""
    catalog = parse_project(".", manifest_path=artifacts / "manifest.json", catalog_path=artifacts / "catalog.json")
    models, groups = columns_of_models(artifacts), []
    for group in catalog.feature_groups:
        columns = models[group.unique_id]
        told = []
        for feature in group.features:
            meta = columns[feature.name]["meta"]
            words = [feature.description]
            if meta["null_means"] == "never":
                words.append("Never null.")
            elif "null" not in feature.description:
                words.append(f"Null: {meta['null_means']}.")
            words.append(f"From: {', '.join(meta['sources'])}.")
            told.append(replace(feature, description=" ".join(words), tags=(*feature.tags, meta["window"])))
        groups.append(replace(group, features=tuple(told)))
    return replace(catalog, feature_groups=tuple(groups))
