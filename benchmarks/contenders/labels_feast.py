"""Features for labels by Feast, DuckDB store: `labels_feast.py LABELS CUSTOMERS PRODUCTS OUTPUT`, Parquet files."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as parquet
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Bool, Float64, Int64, String

TYPES = {"int64": Int64, "int32": Int64, "double": Float64, "string": String, "bool": Bool}
KEYS = ("customer_id", "product_id", "feature_at")


def view_of(kind: str, file: str) -> tuple[Entity, FeatureView]:
    """Return what Feast is told of the features of customers, or of products."""
    schema = parquet.read_schema(file)
    entity = Entity(name=kind, join_keys=[f"{kind}_id"], value_type=ValueType.STRING)
    return entity, FeatureView(
        name=f"{kind}_features",
        entities=[entity],
        ttl=timedelta(days=0),
        schema=[Field(name=field.name, dtype=TYPES[str(field.type)]) for field in schema if field.name not in KEYS],
        source=FileSource(path=file, timestamp_field="feature_at"),
    )


def main(labels: str, customers: str, products: str, output: str) -> None:
    """Write the labels with the features that were the last before them."""
    told = [view_of("customer", customers), view_of("product", products)]
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
        store.apply([each for both in told for each in both])
        wanted = [f"{view.name}:{field.name}" for _, view in told for field in view.schema if field.name not in KEYS]
        asked = pd.read_parquet(labels)
        job = store.get_historical_features(entity_df=asked, features=wanted, full_feature_names=True)
        parquet.write_table(job.to_arrow(), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
