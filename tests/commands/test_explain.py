"""`operate explain`: each feature of each table is explained, its rows come to its value and are there in the files."""

import json
import sqlite3
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from operate.__main__ import COMMANDS, main
from operate.explain.command import same, value_of
from operate.explain.facts import Answer, Fact, Place, Question
from operate.explain.features import EXPLAINED, Feature, features_of, models_of
from operate.explain.places import places
from operate.state import project_variables
from tests.conftest import Build, run

# Rows that are hard: of which something became known late, was taken back, came back or was cancelled; and any others.
ROWS = {
    "customer_features": """
        with late as (
            select rows.customer_id, rows.feature_at, 'late' as why
            from features.customer_features as rows
            inner join intermediate.int_events__attributed as events
                on rows.customer_id = events.customer_id
                and events.event_date between cast(rows.feature_at as date) - 7 and cast(rows.feature_at as date) - 1
                and events.known_date >= cast(rows.feature_at as date)
        ),
        changed as (
            select rows.customer_id, rows.feature_at, 'changed'
            from features.customer_features as rows
            inner join intermediate.int_order_changes__attributed as changes
                on rows.customer_id = changes.customer_id
                and changes.known_date < cast(rows.feature_at as date)
                and (changes.units < 0 or changes.returned_units <> 0)
        ),
        refused as (
            select rows.customer_id, rows.feature_at, if(events.allows_personalization, 'in the CRM', 'by the banner')
            from features.customer_features as rows
            inner join intermediate.int_events__unioned as events
                on rows.customer_id = events.user_id
                and events.event_date between cast(rows.feature_at as date) - 7 and cast(rows.feature_at as date) - 1
            left join intermediate.int_customers__changed as consents
                on rows.customer_id = consents.customer_id
                and consents.attribute = 'personalization_consent'
                and consents.value = 'false'
                and events.event_at >= consents.valid_from
                and events.event_at < consents.valid_to
            where not events.allows_personalization or consents.customer_id is not null
        ),
        any_row as (select customer_id, feature_at, 'any' from features.customer_features)
        select customer_id, feature_at from (from late union from changed union from refused union from any_row)
        qualify row_number() over (partition by why order by hash(customer_id, feature_at)) <= 2
    """,
    "product_features": """
        with late as (
            select rows.product_id, rows.feature_at, 'late' as why
            from features.product_features as rows
            inner join intermediate.int_product_days__tiled as days
                on rows.product_id = days.product_id
                and days.event_date between cast(rows.feature_at as date) - 7 and cast(rows.feature_at as date) - 1
                and days.known_date >= cast(rows.feature_at as date)
        ),
        sold as (select product_id, feature_at, 'sold' from features.product_features where orders_7d > 1),
        any_row as (select product_id, feature_at, 'any' from features.product_features)
        select product_id, feature_at from (from late union from sold union from any_row)
        qualify row_number() over (partition by why order by hash(product_id, feature_at)) <= 2
    """,
    "customer_product_features": """
        with kinds as (
            select customer_id, product_id, feature_at,
                case when in_cart then 'in cart' when orders_90d > 0 then 'ordered' when carts_90d > 0 then 'cart' end
                as why
            from features.customer_product_features
        )
        select customer_id, product_id, feature_at from kinds
        qualify row_number() over (partition by why order by hash(customer_id, product_id, feature_at)) <= 2
    """,
    "customer_category_features": """
        select customer_id, category, feature_at from features.customer_category_features
        qualify row_number() over (
            partition by order_share_90d > 0 order by hash(customer_id, category, feature_at)
        ) <= 3
    """,
    "product_pairs": """
        select product_id, related_product_id, relation, feature_at from features.product_pairs
        qualify row_number() over (
            partition by relation, pairs > 1 order by hash(product_id, related_product_id, feature_at)
        ) <= 2
    """,
}


@dataclass(frozen=True)
class Told:
    """What was said of a feature: what stands in the table, and what it is made of."""

    feature: Feature
    question: Question
    value: Any
    answer: Answer

    def __str__(self) -> str:
        """Return what was asked for."""
        return f"{self.feature.full_name} of {'/'.join(self.question.key.values())} on {self.question.day}"


@pytest.fixture(scope="module")
def connection(company: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def told(company: Build, connection: duckdb.DuckDBPyConnection) -> list[Told]:
    """Every feature of some rows of every table."""
    models, variables, found = models_of(company.folder / "target"), project_variables(), []
    for feature in features_of(models):
        for *key, at in rows_of(connection, feature.table):
            question = Question(
                connection, models, variables, dict(zip(feature.key, key, strict=True)), at.date(), feature.days
            )
            found.append(Told(feature, question, value_of(question, feature), feature.explained_by(question)))
    return found


def rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    """Return the keys of the rows that are looked at, each with its moment."""
    return connection.execute(ROWS[table]).fetchall()


def test_every_feature_of_every_table_is_explained(company: Build, told: list[Told]) -> None:
    declared = {feature.full_name for feature in features_of(models_of(company.folder / "target"))}
    assert {one.feature.full_name for one in told} == declared
    assert {feature.split(".")[0] for feature in declared} == EXPLAINED.keys() == ROWS.keys()
    for one in told:
        assert one.answer.how, one


def test_what_counted_comes_to_the_value_in_the_table(told: list[Told]) -> None:
    wrong = [
        f"{one}: {one.value}, by its rows {one.answer.value}" for one in told if not same(one.value, one.answer.value)
    ]
    assert wrong == []
    # It is no comparison of nothing with nothing: every feature is told of some row in which something counted.
    something = {
        (one.feature.table, one.feature.base) for one in told if any(fact.counted for fact in one.answer.facts)
    }
    assert something == {(table, name) for table, explained in EXPLAINED.items() for name in explained}


def test_nothing_counted_was_known_at_the_moment_or_later(told: list[Told]) -> None:
    early = [
        (str(one), fact) for one in told for fact in one.answer.facts
        if fact.counted and not fact.event_at.date() <= fact.known_at.date() < one.question.day
    ]  # fmt: skip
    assert early == []


def test_what_was_not_known_yet_is_told_with_the_reason(told: list[Told]) -> None:
    reasons = {fact.why_not for one in told for fact in one.answer.facts if not fact.counted}
    for words in (
        "not known yet: received", "not known yet: linked", "not known yet: told", "not known yet: the feed of",
        "a bot's: ", "personalisation was refused where it happened", "personalisation was refused in the CRM",
        "cancelled: ", "replaced: ",
    ):  # fmt: skip
        assert any(reason.startswith(words) for reason in reasons), words
    late = [
        (one, fact) for one in told for fact in one.answer.facts
        if (fact.why_not or "").startswith("not known yet") and one.feature.table != "product_pairs"
    ]  # fmt: skip
    assert all(fact.known_at.date() >= one.question.day for one, fact in late)


def test_every_row_that_counted_is_where_it_is_said_to_be(company: Build, told: list[Told]) -> None:
    facts = {fact.record: fact for one in told for fact in one.answer.facts if fact.counted}
    found = places(told[0].question, facts.values())
    assert facts.keys() - found.keys() == set()
    sources = {place.source for place in found.values()}
    assert sources >= {"web", "mobile", "shop", "store", "marketplace", "marketing", "catalog", "crm"}
    lost = [(record, str(place)) for record, place in found.items() if not stands(company.files, facts[record], place)]
    assert lost == []


def stands(files: Path, fact: Fact, place: Place) -> bool:
    """Return whether a place in the company's files holds what a fact tells."""
    kind, name = fact.record[0], fact.record[1]
    if place.source in ("web", "mobile"):
        return json.loads(lines(files / place.source / place.file)[place.line - 1])["messageId"] == fact.record[2]
    if place.line is not None:
        line = lines(files / place.source / place.file)[place.line - 1].decode()
        # A till's order is named by its store, too, which is in the file's path.
        told = [fact.product_id or "", fact.numbers.get("order_id", name).split("-")[-1]]
        return all(part in line for part in told[: 1 if kind == "feed" else 2])
    if place.source == "shop":
        table, column = place.file, "order_line_id" if kind == "refund" else "id"
        with sqlite3.connect(files / "shop.db") as shop:
            (found,) = shop.execute(f"select cast({column} as text) from {table} where id = ?", [place.key]).fetchone()
        return found == name.removeprefix("web_shop-")
    file = {"crm": "contacts", "marketing": "marketing_events"}[place.source]
    ids = {json.loads(line)["id"] for line in lines(files / "api" / f"{file}.jsonl")}
    return place.key == name and name in ids


@cache
def lines(file: Path) -> list[bytes]:
    """Return the lines of a file, as far as it can be read where it is cut short."""
    content = file.read_bytes()
    return (zlib.decompressobj(wbits=31).decompress(content) if file.suffix == ".gz" else content).splitlines()


@pytest.fixture
def explain(company: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Call the command on the company; return its exit code and what it printed and complained of."""
    for name, value in company.environment.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["explain", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture(scope="module")
def customer(connection: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """Return the customer and the day with the most views of a month."""
    return connection.execute(
        """select customer_id, strftime(feature_at, '%Y-%m-%d') from features.customer_features
        order by views_30d desc, customer_id, feature_at limit 1"""
    ).fetchone()


def test_a_person_sees_the_value_the_rows_and_where_they_are_from(explain, customer: tuple[str, str]) -> None:
    code, said, _ = explain("customer_features.views_30d", *customer)
    assert code == 0
    assert "customer_features.views_30d = " in said
    assert "window: 30 days" in said
    assert "part-0.jsonl.gz:" in said
    assert "as in the table" in said
    assert "the last 20 shown" in said
    _, everything, _ = explain("customer_features.views_30d", *customer, "--all")
    assert everything.count("part-0.jsonl.gz:") > 20


def test_a_machine_gets_all_rows(explain, customer: tuple[str, str]) -> None:
    code, said, _ = explain("customer_features.views_30d", *customer, "--json")
    told = json.loads(said)
    assert code == 0
    assert told["agrees"] is True
    counted = [row for row in told["rows"] if row["counted"]]
    assert told["value"] == told["recomputed"] == told["counted"] == len(counted) > 20
    assert all(row["source_file"] and row["source_line"] for row in counted)
    assert "@" not in said


def test_rows_that_come_to_another_value_are_said_to(
    company: Build, customer: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, explain
) -> None:
    changed = replace(company, folder=tmp_path)
    changed.warehouse.write_bytes(company.warehouse.read_bytes())
    with duckdb.connect(str(changed.warehouse)) as warehouse:
        warehouse.execute("update features.customer_features set views_30d = views_30d + 1")
    monkeypatch.setenv("WAREHOUSE", str(changed.warehouse))
    code, said, _ = explain("customer_features.views_30d", *customer)
    assert code == 1
    assert "but the table says" in said
    assert "late_records" in said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("views_30d", "1", "2026-02-03"), "customer_features.views_30d, customer_product_features.views_30d"),
        (("customer_features.view_30d", "1", "2026-02-03"), "did you mean customer_features.views_30d"),
        (("product_features.loyalty_tier", "1", "2026-02-03"), "did you mean customer_features.loyalty_tier"),
        (("nothing_of_the_kind", "1", "2026-02-03"), "there is no feature nothing_of_the_kind"),
        (("loyalty_tier", "1", "2026-02-31"), "2026-02-31 is no date: write YYYY-MM-DD"),
        (("in_cart", "1", "2026-02-03"), "named by customer_id/product_id, not by 1"),
        (("loyalty_tier", "nobody", "2026-02-03"), "no row for nobody on any day"),
    ],
)
def test_a_question_that_has_no_answer_gets_a_better_one(explain, asked: tuple[str, ...], said: str) -> None:
    code, printed, complained = explain(*asked)
    assert (code, printed) == (1, "")
    assert said in complained


def test_a_day_without_a_row_names_the_nearest_with_one(explain, customer: tuple[str, str]) -> None:
    code, _, complained = explain("loyalty_tier", customer[0], "2031-01-01")
    assert code == 1
    assert "The nearest days with one: 2" in complained
    assert "There is a row for every" in complained


def test_no_warehouse_and_no_manifest_say_what_to_do(explain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(tmp_path / "none.duckdb"))
    assert "python -m operate build" in explain("loyalty_tier", "1", "2026-02-03")[2]
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    assert "manifest.json" in explain("loyalty_tier", "1", "2026-02-03")[2]


def test_it_imports_nothing_that_takes_seconds(company: Build, customer: tuple[str, str]) -> None:
    script = (
        "import sys; from operate.__main__ import main; main(sys.argv[1:]);"
        "print(sorted({'dbt', 'dlt', 'pandas', 'pyarrow'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = run(
        sys.executable,
        "-c",
        script,
        "explain",
        "customer_features.views_30d",
        *customer,
        environment=company.environment,
    )
    assert "as in the table" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"operate {command}" in capsys.readouterr().out
