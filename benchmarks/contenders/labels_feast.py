"""Features for labels by Feast's point-in-time join in its DuckDB store: `labels_feast.py LABELS FEATURES OUTPUT`."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as parquet
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Bool, Float64, Int64, String

TYPES = {"int64": Int64, "int32": Int64, "double": Float64, "string": String, "bool": Bool}
KEYS = ("customer_id", "feature_at")


def main(labels: str, features: str, output: str) -> None:
    """Write the labels with the features that were the last before them."""
    schema = parquet.read_schema(features)
    fields = [Field(name=field.name, dtype=TYPES[str(field.type)]) for field in schema if field.name not in KEYS]
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
    view = FeatureView(
        name="customer_features",
        entities=[customer],
        ttl=timedelta(days=0),
        schema=fields,
        source=FileSource(path=features, timestamp_field="feature_at"),
    )
    with tempfile.TemporaryDirectory() as folder:
        config = RepoConfig(
            project="benchmark",
            provider="local",
            registry=str(Path(folder) / "registry.db"),
            online_store=None,
            offline_store={"type": "duckdb"},
            entity_key_serialization_version=3,
        )
        store = FeatureStore(config=config)
        store.apply([customer, view])
        wanted = [f"customer_features:{field.name}" for field in fields]
        job = store.get_historical_features(entity_df=pd.read_parquet(labels), features=wanted)
        parquet.write_table(job.to_arrow(), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
