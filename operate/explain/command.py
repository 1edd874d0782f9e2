"""The command: finds the row that is asked for, what it is made of, and holds one against the other."""

import argparse
import sys
from dataclasses import dataclass
from datetime import date
from math import isclose
from typing import Any

import duckdb

from operate.explain.facts import Answer, Place, Question
from operate.explain.features import Feature, Unanswerable, features_of, find, models_of
from operate.explain.places import places
from operate.explain.show import as_json, show
from operate.paths import target_path, warehouse_path, wide_console
from operate.state import project_variables

SHOWN = 20
"""Rows that are shown of each kind without `--all`."""
WIDTH = 150
"""Characters that a row with its place takes."""
ROUNDING = 1e-8
"""Two doubles that are closer than this are the same: some features are rounded to nine digits."""


@dataclass(frozen=True)
class Explanation:
    """A feature's value as it stands, and what it is made of. `places` are those of the facts that are shown."""

    feature: Feature
    key: dict[str, str]
    day: date
    value: Any
    answer: Answer
    places: dict[tuple[Any, ...], Place]

    @property
    def agrees(self) -> bool:
        """Whether the facts come to the value that stands in the table."""
        return same(self.value, self.answer.value)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument("feature", metavar="FEATURE", help="views_7d, or with its table: customer_features.views_7d")
    parser.add_argument(
        "key",
        metavar="KEY",
        help="the id, or several: CUSTOMER/PRODUCT, CUSTOMER/CATEGORY, PRODUCT/RELATED/RELATION",
    )
    parser.add_argument("date", metavar="DATE", help="the day that the feature row speaks for, as it began: YYYY-MM-DD")
    parser.add_argument("--all", action="store_true", help=f"show all rows, not the last {SHOWN} of each kind")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def explain(options: argparse.Namespace) -> int:
    """Print what a feature's value is made of; return 0, 1 when it cannot be told or the rows come to another value."""
    try:
        everything = options.all or options.json
        told = explained(options.feature, options.key, options.date, limit=None if everything else SHOWN)
    except Unanswerable as problem:
        print(problem, file=sys.stderr)
        return 1
    if options.json:
        print(as_json(told))
    else:
        show(wide_console(width=WIDTH), told, None if options.all else SHOWN)
    return 0 if told.agrees else 1


def explained(feature: str, key: str, day: str, limit: int | None) -> Explanation:
    """Return what a feature's value is made of, in the warehouse as it was built.

    Only the last `limit` facts that counted, and that did not, are traced back to their records; all when it is None.
    Raises `Unanswerable` when there is no such feature or row, or no warehouse to read.
    """
    on = read_date(day)
    models = models_of(target_path())
    asked = find(features_of(models), feature)
    named = read_key(asked, key)
    warehouse = warehouse_path()
    if not warehouse.exists():
        raise Unanswerable(f"there is no warehouse at {warehouse} yet: python -m load, python -m operate build")
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            return answered(Question(connection, models, project_variables(), named, on, asked.days), asked, limit)
    except (duckdb.IOException, duckdb.ConnectionException) as problem:
        raise Unanswerable(f"{warehouse} cannot be read, somebody may be writing to it: {problem}") from problem
    except duckdb.CatalogException as problem:
        raise Unanswerable(
            f"{warehouse} is not what this version builds (python -m operate build): {problem}"
        ) from problem


def answered(question: Question, feature: Feature, limit: int | None) -> Explanation:
    """Return what a feature's value is made of; see `explained`."""
    value = value_of(question, feature)
    answer = feature.explained_by(question)
    shown = answer.facts
    if limit is not None:
        counted, others = ([fact for fact in answer.facts if fact.counted == wanted] for wanted in (True, False))
        shown = counted[-limit:] + others[-limit:]
    return Explanation(feature, question.key, question.day, value, answer, places(question, shown))


def read_date(text: str) -> date:
    """Return a date; raises `Unanswerable` for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unanswerable(f"{text} is no date: write YYYY-MM-DD, the day that the feature row speaks for") from None


def read_key(feature: Feature, text: str) -> dict[str, str]:
    """Return the key's columns; raises `Unanswerable` when the text has more or fewer parts than there are."""
    # The last part may be a category, whose name may hold a slash.
    parts = text.split("/", len(feature.key) - 1)
    if len(parts) != len(feature.key):
        words = "/".join(feature.key)
        raise Unanswerable(f"a row of {feature.table} is named by {words}, not by {text}")
    return dict(zip(feature.key, parts, strict=True))


def value_of(question: Question, feature: Feature) -> Any:
    """Return the value in the table; raises `Unanswerable` with the nearest days when there is no such row."""
    where = " and ".join(f"{column} = ${column}" for column in feature.key)
    row = question.row(
        f"select {feature.name} as value from features.{feature.table} where {where} and feature_at = $day"
    )
    if row is not None:
        return row["value"]
    days = question.rows(
        f"""select cast(feature_at as date) as day from features.{feature.table} where {where}
        group by feature_at order by abs(date_diff('day', cast(feature_at as date), $day)), feature_at limit 6"""
    )
    named = "/".join(question.key.values())
    if days:
        nearest = ", ".join(str(row["day"]) for row in sorted(days, key=lambda row: row["day"]))
        raise Unanswerable(
            f"{feature.table} has no row for {named} on {question.day}. "
            f"The nearest days with one: {nearest}.\n{feature.rows}"
        )
    some = question.rows(f"select distinct {', '.join(feature.key)} from features.{feature.table} order by all limit 3")
    examples = ", ".join("/".join(row.values()) for row in some) or "none at all"
    raise Unanswerable(
        f"{feature.table} has no row for {named} on any day.{successor(question)} "
        f"It has rows for {examples}, …\n{feature.rows}"
    )


def successor(question: Question) -> str:
    """Return who a customer without rows turned out to be, as a sentence; an empty text when that is not why."""
    row = question.row(
        """select succeeded_by_customer_id as customer_id, succeeded_at from core.dim_customers
        where customer_id = $customer and succeeded_by_customer_id is not null""",
        customer=question.key.get("customer_id"),
    )
    return f" Since {row['succeeded_at']:%Y-%m-%d} this customer is {row['customer_id']}." if row else ""


def same(stored: Any, counted: Any) -> bool:
    """Return whether two values are the same, doubles up to their rounding."""
    if isinstance(stored, float) and isinstance(counted, int | float):
        return isclose(stored, counted, rel_tol=ROUNDING, abs_tol=ROUNDING)
    return stored == counted
