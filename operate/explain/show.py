"""Shows an explanation to a person, or as JSON to a machine."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from operate.explain.facts import Fact

if TYPE_CHECKING:
    from operate.explain.command import Explanation

ONE_LINE = ("event_at", "known_at", "kind", "product", "from")
"""Columns that are not wrapped as long as others can be."""
MOST_INPUTS = 8
"""Of an input that is a table itself, so many entries are shown."""


def show(console: Console, told: "Explanation", limit: int | None) -> None:
    """Print an explanation: the value, the facts that counted, those that did not and why, and whether they agree.

    Of either kind of facts the last `limit` are shown, all when it is None.
    """
    feature, answer = told.feature, told.answer
    say = lambda *words, **how: console.print(Text("".join(words), **how), soft_wrap=True)  # noqa: E731
    say(f"{feature.full_name} = {plain(told.value)}", style="bold")
    say(f"{', '.join(f'{name} {value}' for name, value in told.key.items())}, as of {told.day} 00:00 UTC")
    say(feature.description)
    say(
        f"window: {feature.window} · null means: {feature.null_means} · from: {', '.join(feature.sources)}", style="dim"
    )
    counted = [fact for fact in answer.facts if fact.counted]
    others = [fact for fact in answer.facts if not fact.counted]
    show_facts(console, "Counted", counted, told, limit)
    show_facts(console, "Not counted", others, told, limit)
    if len(others) > (limit or len(others)):
        for reason, number in Counter(reason_of(fact) for fact in others).most_common():
            say(f"  {number:,} {reason}", style="dim")
    if answer.outside:
        words = ", ".join(f"{number:,} {words}" for words, number in answer.outside.items())
        say(f"\nOutside: {words}", style="dim")
    if answer.inputs:
        console.print()
        for name, value in answer.inputs.items():
            say(f"  {name}: {plain(value)}")
    console.print()
    if told.agrees:
        say(f"✓ {answer.how}: {plain(answer.value)}, as in the table", style="green")
    else:
        say(f"✗ {answer.how}: {plain(answer.value)}, but the table says {plain(told.value)}", style="red")
        say(
            "  Something may have landed since the last build (python -m operate build), or more than late_days behind "
            "(operations.late_records; dbt build --full-refresh counts it in)."
        )


def show_facts(console: Console, title: str, facts: Sequence[Fact], told: "Explanation", limit: int | None) -> None:
    """Print facts as a table, the last `limit` of them."""
    shown = facts if limit is None else facts[-limit:]
    more = f", the last {len(shown)} shown (--all shows them all)" if len(shown) < len(facts) else ""
    console.print(Text(f"\n{title}: {len(facts):,} {'row' if len(facts) == 1 else 'rows'}{more}", style="bold"))
    if not shown:
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    columns = {
        "event_at": [f"{fact.event_at:%Y-%m-%d %H:%M}" for fact in shown],
        "known_at": [f"{fact.known_at:%Y-%m-%d %H:%M}" for fact in shown],
        "kind": [fact.kind for fact in shown],
        "product": [fact.product_id or "" for fact in shown],
        "units": [plain(units_of(fact)) if units_of(fact) is not None else "" for fact in shown],
        "amount": [f"{fact.amount:,.2f}" if fact.amount is not None else "" for fact in shown],
        "": [fact.detail for fact in shown],
        "why not": [fact.why_not or "" for fact in shown],
        "from": [str(told.places.get(fact.record, "")) for fact in shown],
    }
    filled = {name: values for name, values in columns.items() if any(values)}
    for name in filled:
        table.add_column(
            name, justify="right" if name in ("units", "amount") else "left", no_wrap=name in ONE_LINE,
            overflow="fold",
        )  # fmt: skip
    for values in zip(*filled.values(), strict=True):
        table.add_row(*map(Text, values))
    console.print(table)


def units_of(fact: Fact) -> int | None:
    """Return the units of an order line that a change adds, or brings back; None where it is about none."""
    return (fact.numbers["units"] or 0) - (fact.numbers["returned_units"] or 0) if "units" in fact.numbers else None


def reason_of(fact: Fact) -> str:
    """Return why a fact did not count, without the moment."""
    return (fact.why_not or "").split(":")[0]


def plain(value: Any) -> str:
    """Return a value as a person reads it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    if isinstance(value, dict):
        entries = [f"{name} {plain(number)}" for name, number in value.items()]
        return ", ".join(entries[:MOST_INPUTS] + (["…"] if len(entries) > MOST_INPUTS else []))
    return f"{value:,}" if isinstance(value, int) else str(value)


def as_json(told: "Explanation") -> str:
    """Return an explanation as JSON: all facts, each with its record's place."""
    feature, answer = told.feature, told.answer
    content = {
        "feature": feature.full_name,
        "key": told.key,
        "feature_at": told.day,
        "description": feature.description,
        "window": feature.window,
        "null_means": feature.null_means,
        "sources": feature.sources,
        "value": told.value,
        "recomputed": answer.value,
        "agrees": told.agrees,
        "how": answer.how,
        "inputs": answer.inputs,
        "counted": sum(fact.counted for fact in answer.facts),
        "not_counted": dict(Counter(reason_of(fact) for fact in answer.facts if not fact.counted)),
        "outside": answer.outside,
        "rows": [fact_as_json(fact, told) for fact in answer.facts],
    }
    return json.dumps(content, indent=2, default=str)


def fact_as_json(fact: Fact, told: "Explanation") -> dict[str, Any]:
    """Return a fact as JSON can hold it."""
    place = told.places.get(fact.record)
    return {
        "kind": fact.kind,
        "event_at": fact.event_at,
        "known_at": fact.known_at,
        "product_id": fact.product_id,
        "units": units_of(fact),
        "amount": fact.amount,
        "detail": fact.detail,
        "counted": fact.counted,
        "why_not": fact.why_not,
        "record": list(fact.record) if fact.record else None,
        "source": place and place.source,
        "source_file": place and place.file,
        "source_line": place and place.line,
        "source_key": place and place.key,
    }
