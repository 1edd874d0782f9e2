"""Features in Feast are the features of the warehouse: joined as of a moment, and served."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from feast import FeatureStore

from operate.catalog import columns_of_models, feature_catalog
from operate.feast import export
from tests.conftest import BIN, Build, run, run_well

VIEWS = ("customer_features", "product_features", "customer_product_features", "customer_category_features")


@pytest.fixture(scope="module")
def repository(company: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("feast") / "repository"
    said = run_well(sys.executable, "-m", "operate", "feast", folder, environment=company.environment)
    assert "feast apply" in said
    run_well(BIN / "feast", "apply", environment={}, cwd=folder)
    return folder


@pytest.fixture
def store(repository: Path, monkeypatch: pytest.MonkeyPatch) -> FeatureStore:
    monkeypatch.chdir(repository)
    return FeatureStore(repo_path=str(repository))


@pytest.fixture
def connection(company: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        yield connection


def features_of(company: Build, table: str) -> list[str]:
    group = next(g for g in feature_catalog(company.folder / "target").feature_groups if g.name == table)
    return [feature.name for feature in group.features]


def differing(one: pd.DataFrame, other: pd.DataFrame, pairs: dict[str, str]) -> dict[str, int]:
    """Return how many values differ, by column; rows are in the same order, null equals null, numbers are exact."""
    found = {}
    for left, right in pairs.items():
        a, b = one[left].astype(object), other[right].astype(object)
        same = (a == b) | (a.isna() & b.isna())
        if not same.all():
            found[left] = int((~same).sum())
    return found


def test_a_join_as_of_the_moment_gives_what_training_reads(company: Build, store, connection) -> None:
    """Whatever the moment within the day: at its beginning and just before its end."""
    examples = connection.execute(
        "select *, product_category as category from training.training_examples "
        "where product_category is not null order by query_id, product_id"
    ).df()
    assert len(examples) > 4_000
    wanted = [f"{view}:{name}" for view in VIEWS for name in features_of(company, view)]
    late = pd.Series(range(len(examples))) % 2 == 1
    moments = examples.feature_at + late.map({True: timedelta(days=1, microseconds=-1), False: timedelta(0)})
    keys = examples[["query_id", "customer_id", "product_id", "category"]].assign(
        event_timestamp=pd.to_datetime(moments, utc=True)
    )
    joined = store.get_historical_features(entity_df=keys, features=wanted, full_feature_names=True).to_df()
    joined = joined.sort_values(["query_id", "product_id"]).reset_index(drop=True)
    pairs = {
        f"{view}__{name}": f"{view.removesuffix('_features')}_{name}"
        for view in VIEWS
        for name in features_of(company, view)
        if f"{view.removesuffix('_features')}_{name}" in examples
    }
    assert len(pairs) > 90
    # Of a product that the customer had nothing to do with, training says 0 and Feast that it has no row.
    absent = [name for name in pairs if name.startswith("customer_product_features__")]
    for name in absent:
        if not examples[pairs[name]].isna().any():
            joined[name] = joined[name].astype(object).where(joined[name].notna(), 0)
    assert differing(joined, examples, pairs) == {}


def test_a_row_does_not_stand_in_for_the_day_after(company: Build, store, connection) -> None:
    customer, last = connection.execute(
        "select customer_id, max(feature_at) from features.customer_features group by all order by 1 limit 1"
    ).fetchone()
    keys = pd.DataFrame({"customer_id": [customer], "event_timestamp": pd.to_datetime([last], utc=True)})
    for later, missing in ((timedelta(0), False), (timedelta(hours=23, minutes=59), False), (timedelta(days=1), True)):
        asked = keys.assign(event_timestamp=keys.event_timestamp + later)
        found = store.get_historical_features(entity_df=asked, features=["customer_features:tenure_days"]).to_df()
        assert found.tenure_days.isna().all() == missing, later


def test_what_is_served_is_what_was_computed(company: Build, repository: Path, store, connection) -> None:
    (last,) = connection.execute("select max(feature_at) from features.customer_features").fetchone()
    store.materialize(start_date=last - timedelta(hours=1), end_date=last + timedelta(hours=1))
    compared = 0
    for view in (*VIEWS, "product_pairs"):
        names = features_of(company, view)
        source = store.get_feature_view(view)
        keys = [column.name for column in source.entity_columns]
        whole = " and ".join(f"{key} is not null" for key in keys)
        offline = connection.execute(
            f"select * from features.{view} where feature_at = ? and {whole} order by {', '.join(keys)}", [last]
        ).df()
        assert len(offline) > 20, view
        online = store.get_online_features(
            features=[f"{view}:{name}" for name in names], entity_rows=offline[keys].to_dict("records")
        ).to_df()
        assert differing(online, offline, {name: name for name in names}) == {}, view
        compared += offline[names].size
    print(f"{compared:,} values served")
    assert compared > 50_000


def test_types_are_those_of_the_contracts(company: Build, store) -> None:
    expected = {"bigint": "Int64", "integer": "Int32", "double": "Float64", "string": "String", "boolean": "Bool"}
    models = columns_of_models(company.folder / "target")
    for group in feature_catalog(company.folder / "target").feature_groups:
        columns = models[group.unique_id]
        for field in store.get_feature_view(group.name).features:
            assert str(field.dtype) == expected[columns[field.name]["data_type"]], f"{group.name}.{field.name}"


def test_a_folder_with_something_else_in_it_is_left_alone(company: Build, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = run(sys.executable, "-m", "operate", "feast", tmp_path, environment=company.environment)
    assert done.returncode == 1
    assert "take another folder" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_without_a_build_it_says_what_to_do(company: Build, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make build"):
        export(tmp_path / "repository", tmp_path, company.warehouse)
