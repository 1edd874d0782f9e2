"""A feature is described in one way, in its own table and in the training tables that carry it."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

MARTS = Path(__file__).parents[2] / "models" / "marts"
CARRIED = re.compile(r"(\w+_features)\.(\w+): (?:Encoded or scaled\. )?(.*)")


def described(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield model, column and description of each column that a folder of marts publishes."""
    for file in sorted((MARTS / folder).glob("*.yml")):
        for model in yaml.safe_load(file.read_text()).get("models", []):
            for column in model["columns"]:
                yield model["name"], column["name"], " ".join(column["description"].split())


def test_training_tables_describe_features_as_their_own_tables_do():
    features = {f"{model}.{column}": text for model, column, text in described("features")}
    carried = [
        (f"{model}.{column}", f"{found[1]}.{found[2]}", found[3])
        for model, column, text in described("training")
        if (found := CARRIED.match(text))
    ]
    assert len(carried) > 300
    assert [(where, text) for where, feature, text in carried if text != features[feature]] == []
