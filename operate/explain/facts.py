"""What an explanation is made of: the question, the facts, what they add up to."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from operate.literals import literal

LONG_AGO = date(1900, 1, 1)


@dataclass(frozen=True)
class Question:
    """What is asked for: an entity by its key, the day that the feature row speaks for, the window in days (None: all).

    `variables` are those of dbt_project.yml. `models` has, by name, what dbt's manifest says of each model.
    """

    connection: duckdb.DuckDBPyConnection
    models: dict[str, dict]
    variables: dict[str, Any]
    key: dict[str, str]
    day: date
    days: int | None

    @property
    def first(self) -> date:
        """The first day of the window."""
        return LONG_AGO if self.days is None else self.day - timedelta(days=self.days)

    def rows(self, sql: str, **given: Any) -> list[dict[str, Any]]:
        """Return the rows of a query by column. It may name `$day`, `$first`, the key's columns and what is given."""
        values = self.key | {"day": self.day, "first": self.first} | given
        cursor = self.connection.execute(re.sub(r"\$(\w+)", lambda name: literal(values[name[1]]), sql))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, sql: str, **given: Any) -> dict[str, Any] | None:
        """Return the first row of a query, None when there is none."""
        return next(iter(self.rows(sql, **given)), None)


@dataclass(frozen=True)
class Place:
    """Where a landed record is: the file and its line, or the endpoint or table and the record's key."""

    source: str
    file: str
    line: int | None
    key: str | None

    def __str__(self) -> str:
        """Return it as a person would write it."""
        return f"{self.source} {self.file}" + (f":{self.line}" if self.line is not None else f" {self.key or ''}")


@dataclass(frozen=True)
class Fact:
    """Something that happened or was told, and whether it counted.

    `known_at` is from when it could be counted for this entity, `record` how to find the landed record (see `places`),
    `why_not` the reason why it did not count, None when it did. `numbers` are what adds up.
    """

    kind: str
    event_at: datetime
    known_at: datetime
    record: tuple[Any, ...] | None
    product_id: str | None = None
    why_not: str | None = None
    detail: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def counted(self) -> bool:
        """Whether it counted."""
        return self.why_not is None

    @property
    def event_date(self) -> date:
        """The day it happened."""
        return self.event_at.date()

    @property
    def amount(self) -> float | None:
        """Net money in the reporting currency; None where it has none."""
        return self.numbers["net_minor"] / 100 if self.numbers.get("net_minor") is not None else None


@dataclass
class Answer:
    """What was found: the facts, how many lie outside the window, and what the feature comes to by them.

    `how` says in words what the facts add up to. `inputs` are what else the value depends on, by name.
    """

    facts: list[Fact]
    outside: dict[str, int]
    value: Any
    how: str
    inputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """Facts of the window, and how many of the same kind lie before and after it."""

    facts: list[Fact]
    outside: dict[str, int] = field(default_factory=dict)

    @property
    def counted(self) -> list[Fact]:
        """Those that counted."""
        return [fact for fact in self.facts if fact.counted]

    def __add__(self, other: "Found") -> "Found":
        """Return both."""
        words = {*self.outside, *other.outside}
        return Found(
            self.facts + other.facts,
            {word: self.outside.get(word, 0) + other.outside.get(word, 0) for word in words},
        )


def in_window(question: Question, facts: Sequence[Fact]) -> Found:
    """Return the facts of the window, and how many lie outside."""
    inside = [fact for fact in facts if question.first <= fact.event_date < question.day]
    before = sum(fact.event_date < question.first for fact in facts)
    return Found(inside, outside(question, before, len(facts) - len(inside) - before))


def by_time(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts in the order in which they happened."""
    return sorted(facts, key=lambda fact: fact.event_at)


def only(found: Found, keep: Callable[[Fact], Any], why_not: str) -> Found:
    """Return the same facts; those that counted and are not to be kept do not count any more, for the reason given."""
    facts = [fact if not fact.counted or keep(fact) else replace(fact, why_not=why_not) for fact in found.facts]
    return Found(facts, found.outside)


def decayed_micro(question: Question, age: int) -> int:
    """Return what is left of one after so many days, in millionths, as the macro of the same name does."""
    return round(1_000_000 * 0.5 ** (age / question.variables["affinity_half_life_days"]))


def outside(question: Question, before: int, after: int) -> dict[str, int]:
    """Return, in words, how many facts there are outside the window; those of which there are none are left out."""
    words = {f"before {question.first}": before, f"on {question.day} or after": after}
    return {word: number for word, number in words.items() if number}


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole; None when there is no whole."""
    return part / whole if whole else None


def total(facts: Iterable[Fact], name: str) -> int:
    """Return the sum of a number over facts; a missing one counts as nothing."""
    return sum(fact.numbers.get(name) or 0 for fact in facts)


def of_kind(facts: Iterable[Fact], *kinds: str) -> list[Fact]:
    """Return the facts of some kinds."""
    return [fact for fact in facts if fact.kind in kinds]


def within(facts: Iterable[Fact], question: Question, days: int) -> list[Fact]:
    """Return the facts of the last so many days before the feature's."""
    first = question.day - timedelta(days=days)
    return [fact for fact in facts if fact.event_date >= first]


def days_since(question: Question, facts: Sequence[Fact]) -> int | None:
    """Return the days from the last of the facts to the feature's day, 1 for yesterday; None without any."""
    return min(((question.day - fact.event_date).days for fact in facts), default=None)
