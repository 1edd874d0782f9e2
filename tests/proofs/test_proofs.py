"""The proofs that anyone can run on their own warehouse, run on a small company; they see what they are for."""

import re
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Build, run_fork, well
from tests.proofs.mutations import MUTATIONS, landed_company, objections


def prove(company: Build, *arguments: str) -> str:
    """Run a proof that has to hold; return what it printed."""
    environment = company.environment | {"COLUMNS": "200"}
    said = well(run_fork("-m", "operate", "prove", *arguments, environment=environment))
    print(said)
    return said


def values(said: str, table: str) -> int:
    """Return how many values of a table were compared, by what a proof printed."""
    return sum(
        int(n.replace(",", "")) for n in re.findall(rf"{table}: .* rows, ([\d,]+) values compared, 0 differ", said)
    )


def test_no_feature_moves_when_what_came_later_is_taken_away(company: Build) -> None:
    said = prove(company, "leakage", "--at", "2026-06-12", "--at", "2026-06-25T13:37:11+02:00")
    for table, least in {
        "customer_features": 10_000,
        "customer_product_features": 10_000,
        "customer_category_features": 2_000,
        "product_features": 50_000,
        "product_pairs": 20_000,
    }.items():
        assert values(said, table) > least


def test_building_day_by_day_gives_what_building_at_once_does_and_what_was_served(company: Build) -> None:
    said = prove(company, "replay", "--days", "2")
    assert said.count(", 0 differ") == 21
    assert "one build after 2 missed days" in said
    assert values(said, "customer_features") > 10_000


def test_the_order_in_which_events_landed_and_what_landed_twice_do_not_matter(company: Build) -> None:
    said = prove(company, "order")
    assert values(said, "core.fct_events") > 50_000
    assert values(said, "customer_features") > 10_000


def test_what_landed_is_what_the_books_say(company: Build, tmp_path: Path) -> None:
    assert prove(company, "conservation").count("✓") == 9
    poorer = replace(company, folder=tmp_path)
    shutil.copy(company.warehouse, poorer.warehouse)
    with duckdb.connect(str(poorer.warehouse)) as connection:
        connection.execute("delete from raw_web.events where source_line = 3")
    done = run_fork("-m", "operate", "prove", "conservation", environment=poorer.environment)
    assert done.returncode == 1
    assert "✗ conservation: web" in done.stdout


def test_a_proof_of_nothing_is_none(company: Build) -> None:
    done = run_fork("-m", "operate", "prove", "leakage", "--at", "2099-01-01", environment=company.environment)
    assert done.returncode == 2
    assert "take an earlier moment" in done.stderr


def test_a_proof_builds_with_the_variables_that_it_is_given(company: Build) -> None:
    call = ("-m", "operate", "prove", "leakage", "--at", "2026-06-12", "--vars")
    other = run_fork(*call, "{affinity_half_life_days: 3}", environment=company.environment | {"COLUMNS": "200"})
    assert other.returncode == 1, other.stderr
    assert "affinity_decayed" in other.stdout
    assert "customer_features: " in other.stdout
    none = run_fork(*call, "GBP", environment=company.environment)
    assert none.returncode == 2
    assert "wants names and values" in none.stderr


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return landed_company(tmp_path_factory.mktemp("landed")).warehouse


# The others take minutes: python -m tests.proofs.mutations.
@pytest.mark.parametrize("name", ["a late event counts before"])
def test_a_planted_leak_is_seen(landed: Path, tmp_path: Path, name: str) -> None:
    mutation = next(each for each in MUTATIONS if each.name.startswith(name))
    assert next(objections(mutation, landed, tmp_path, [datetime(2026, 6, 20)]), None)
