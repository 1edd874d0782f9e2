"""Versions of the training tables: made twice or later they are the same, and nothing overwrites one."""

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import pytest
from rich.console import Console

from operate.dbt import dbt_on
from operate.proofs import proofs, raw
from tests.conftest import Build, run, run_fork, run_well
from tests.imported import MANIFEST
from tests.proofs.mutations import Mutation, planted

UNTIL = "2026-06-26"
# Forty days hold no more.
SHORT = "{label_days: 3, test_days: 4, validation_days: 3, warm_up_days: 3, candidates_per_source: 20}"


def operate(build: Build, sets: Path, *arguments: str) -> CompletedProcess[str]:
    environment = build.environment | {"TRAINING_SETS": str(sets)}
    return run_fork("-m", "operate", "training-set", *arguments, environment=environment)


def make(build: Build, sets: Path, name: str, until: str = UNTIL) -> dict:
    done = operate(build, sets, "--name", name, "--until", until, "--vars", SHORT)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((sets / name / "manifest.json").read_text())


@pytest.fixture(scope="module")
def sets(company: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    make(company, folder, "first")
    return folder


def test_the_same_inputs_give_the_same_bytes(company: Build, sets: Path) -> None:
    first, again = (json.loads((sets / "first" / "manifest.json").read_text()), make(company, sets, "again"))
    assert first["content_hash"] == again["content_hash"]
    files = [path for path in (sets / "first").rglob("*.parquet")]
    assert len(files) > 10
    for file in files:
        assert file.read_bytes() == (sets / "again" / file.relative_to(sets / "first")).read_bytes(), file
    told = first["tables"]["training_examples"]
    assert set(told["rows_by_split"]) == {"train", "validation", "test"}
    assert min(told["rows_by_split"].values()) > 200
    assert first["raw"]["web"]["landed"] == sum(
        first["raw"]["web"][name] for name in ("accepted", "rejected", "duplicate")
    )
    assert operate(company, sets, "diff", "first", "again").returncode == 0


def test_what_became_known_afterwards_changes_no_version(company: Build, sets: Path, tmp_path: Path) -> None:
    workshop = proofs.Workshop(tmp_path, company.warehouse, Console(quiet=True), MANIFEST)
    then = Build(company.files, tmp_path / "warehouse")
    with duckdb.connect(str(workshop.copy("warehouse"))) as connection:
        gone = raw.cut(connection, workshop.tables, datetime.fromisoformat(UNTIL))
    assert sum(gone.values()) > 1000
    then.dbt("run", "--full-refresh", "--exclude", "path:models/marts/training")
    made = make(then, tmp_path / "sets", "then")
    first = json.loads((sets / "first" / "manifest.json").read_text())
    assert {name: told["content_hash"] for name, told in made["tables"].items()} == {
        name: told["content_hash"] for name, told in first["tables"].items()
    }


def test_a_version_is_never_overwritten_and_can_be_compared(company: Build, sets: Path) -> None:
    done = operate(company, sets, "--name", "first", "--until", UNTIL)
    assert done.returncode == 1
    assert "never overwritten" in done.stderr
    assert not any(path.stat().st_mode & 0o222 for path in (sets / "first").rglob("*.parquet"))
    make(company, sets, "earlier", "2026-06-25")
    said = operate(company, sets, "diff", "earlier", "first")
    assert said.returncode == 1
    assert "cutoffs: test_from was 2026-06-17, is 2026-06-18" in said.stdout
    assert "training_examples: " in said.stdout
    done = operate(company, sets, "diff", "earlier", "nowhere")
    assert done.returncode == 1
    assert "there is no version nowhere; there are: " in done.stderr
    assert "earlier, first" in done.stderr


def test_a_model_trains_on_a_version(company: Build, sets: Path, tmp_path: Path) -> None:
    environment = company.environment | {"TRAINING_SETS": str(sets)}
    command = (sys.executable, "-m", "examples.train_recommender", "first")
    said = run_well(*command, "--picture", tmp_path / "result.svg", environment=environment)
    recall = {line.split()[0]: float(line.split()[1]) for line in said.splitlines()[1:5]}
    assert recall["ranker"] > recall["chance"]
    assert "value: too few customers" in said
    dealt = run_well(*command, "--shuffled", environment=environment).splitlines()[-2]
    nothing, error = (float(word.rstrip(",")) for word in (dealt.split()[6], dealt.split()[-1]))
    assert recall["ranker"] > nothing + 3 * error, dealt
    assert (tmp_path / "result.svg").read_text().startswith("<svg")
    done = run(sys.executable, "-m", "examples.train_recommender", "nowhere", environment=environment)
    assert done.returncode == 1
    assert "there is no version nowhere" in done.stderr


def test_a_feature_that_knows_the_label_is_found_in_a_build(company: Build, tmp_path: Path) -> None:
    canary = Mutation(
        "a feature that knows the label", "models/marts/training/training_examples.sql", "{{- feature_columns() }}",
        "{{- feature_columns() | replace('customer_products.days_since_view as', "
        "'cast(case when judged.label_order > 0 then 1 else 8 end as integer) as') }}",
    )  # fmt: skip
    project = planted(canary, tmp_path / "project")
    warehouse = Path(shutil.copy(company.warehouse, tmp_path))
    training = ("path:models/intermediate/training", "path:models/marts/training")
    dbt_on(warehouse, tmp_path, "run", "--select", *training, "--vars", SHORT, project=project)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select feature, is_kept from training.feature_selection where label = 'label_order' and reason = 'leak'"
        ).fetchall()
    assert found == [("customer_product_days_since_view", False)]


def test_recbole_gets_what_happened_split_as_it_is(company: Build, sets: Path, tmp_path: Path) -> None:
    done = operate(company, sets, "recbole", "first", str(tmp_path / "shop"))
    assert done.returncode == 0, done.stderr
    for split, part in {"train": "train", "validation": "valid", "test": "test"}.items():
        lines = (tmp_path / "shop" / f"shop.{part}.inter").read_text().splitlines()
        assert lines[0].split("\t") == [
            "user_id:token", "item_id:token", "rating:float", "label:float", "timestamp:float"
        ]  # fmt: skip
        examples = f"'{sets}/first/training_examples/split={split}/*.parquet'"
        assert len(lines) - 1 == duckdb.sql(f"from {examples} where gain > 0").shape[0] > 0
        assert all(len(line.split("\t")) == 5 for line in lines)
    assert (tmp_path / "shop" / "shop.item").read_text().startswith("item_id:token\tcategory:token\tprice:float\n")
    again = operate(company, sets, "recbole", "first", str(tmp_path / "shop"))
    assert again.returncode == 1
    assert "is not empty" in again.stderr
