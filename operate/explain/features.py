"""Finds the feature that is asked for among those that the models declare, and the function that explains it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from operate.explain import customers, pairs, products
from operate.explain.facts import Answer, Question

EXPLAINED = {
    "customer_features": customers.FEATURES,
    "customer_product_features": customers.WITH_PRODUCT,
    "customer_category_features": customers.WITH_CATEGORY,
    "product_features": products.FEATURES,
    "product_pairs": pairs.FEATURES,
}
"""What explains the features of each table, by their names without the window."""


class Unanswerable(Exception):
    """The question has no answer; the message says why and what to ask instead."""


@dataclass(frozen=True)
class Feature:
    """A feature as its model's YAML declares it. `key` are the columns that name its row beside feature_at."""

    table: str
    name: str
    description: str
    window: str
    null_means: str
    sources: tuple[str, ...]
    key: tuple[str, ...]
    rows: str

    @property
    def full_name(self) -> str:
        """Table and name."""
        return f"{self.table}.{self.name}"

    @property
    def days(self) -> int | None:
        """The length of the window, the longest where there are two; None for all history."""
        return max(map(int, re.findall(r"\d+", self.window)), default=None)

    @property
    def base(self) -> str:
        """The name without the window."""
        return re.sub(r"((_\d+d)+|_lifetime)$", "", self.name)

    @property
    def explained_by(self) -> Callable[[Question], Answer]:
        """The function that explains it; raises `Unanswerable` for a feature that nobody has taught to explain."""
        if self.base not in EXPLAINED.get(self.table, {}):
            raise Unanswerable(
                f"{self.full_name} is a feature, but how it is made is not told yet: add {self.base} to operate/explain"
            )
        return EXPLAINED[self.table][self.base]


def models_of(artifacts: Path) -> dict[str, dict[str, Any]]:
    """Return what dbt's manifest says of each model, by name. Raises `Unanswerable` when there is no manifest."""
    try:
        nodes = json.loads((artifacts / "manifest.json").read_bytes())["nodes"]
    except FileNotFoundError:
        raise Unanswerable(f"there is no manifest.json in {artifacts} yet: python -m operate build") from None
    return {node["name"]: node for node in nodes.values() if node["resource_type"] in ("model", "seed")}


def features_of(models: dict[str, dict[str, Any]]) -> list[Feature]:
    """Return all features of the feature tables."""
    found = []
    for model in models.values():
        told = model["config"].get("meta", {}).get("feature_store", {})
        if not told.get("is_feature_table"):
            continue
        key = tuple(column for column in told["grain"] if column != told["timestamp_column"])
        for name, column in model["columns"].items():
            if name not in told["grain"]:
                meta = column["meta"]
                found.append(
                    Feature(
                        table=model["name"],
                        name=name,
                        description=column["description"],
                        window=meta["window"],
                        null_means=meta["null_means"],
                        sources=tuple(meta["sources"]),
                        key=key,
                        rows=model["description"],
                    )
                )
    return found


def find(features: list[Feature], asked: str) -> Feature:
    """Return the feature of a name, with or without its table; raises `Unanswerable` with the names that come near."""
    wanted = asked.removeprefix("features.")
    found = [feature for feature in features if wanted in (feature.name, feature.full_name)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(feature.full_name for feature in found)
        raise Unanswerable(f"several tables have {asked}: name one of {names}")
    if tables := sorted({feature.full_name for feature in features if feature.full_name.split(".")[0] == wanted}):
        raise Unanswerable(f"{wanted} is a table; name one of its features: {', '.join(tables)}")
    names = [feature.full_name if "." in wanted else feature.name for feature in features]
    near = get_close_matches(wanted, sorted(set(names)), n=3, cutoff=0.5)
    elsewhere = [feature.full_name for feature in features if feature.name == wanted.rsplit(".", 1)[-1]]
    hint = ", ".join(elsewhere or near)
    hint = f"did you mean {hint}?" if hint else "target/site/index.html leads to all of them"
    raise Unanswerable(f"there is no feature {asked}; {hint}")
