"""Finds the landed records that facts come from: file and line, or endpoint or table and key."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from operate.explain.facts import Fact, Place, Question

COLUMNS = ("source_file", "source_line", "source_key")


def places(question: Question, facts: Iterable[Fact]) -> dict[tuple[Any, ...], Place]:
    """Return the place of each fact's record; a record whose source does not tell its place is left out.

    A source tells it by `source_file`, `source_line` and `source_key` in its staging models (docs/add-a-source.md).
    """
    wanted = defaultdict(set)
    for fact in facts:
        if fact.record is not None:
            wanted[fact.record[0]].add(fact.record)
    found = {}
    for kind, records in wanted.items():
        found |= FINDERS[kind](question, sorted(records, key=str))
    return found


def of_events(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where events of web, app or any other source of events are from."""
    found = {}
    ids_of = defaultdict(list)
    for _, source, event_id in records:
        ids_of[source].append(event_id)
    if None in ids_of:
        # Who told of a login is known by the event's id alone.
        told = question.rows(
            "select source, event_id from intermediate.int_events__unioned where event_id in $ids",
            ids=tuple(ids_of.pop(None)),
        )
        for row in told:
            record = ("event", row["source"], row["event_id"])
            found |= {("event", None, row["event_id"]): of_events(question, [record])[record]}
    for source, ids in ids_of.items():
        rows = question.rows(
            f"""select event_id, source_file, source_line, source_key from {relation(question, f"stg_{source}__events")}
            where record_status = 'accepted' and event_id in $ids""",
            ids=tuple(ids),
        )
        found |= {("event", source, row["event_id"]): place(source, row) for row in rows}
    return found


def of_lines(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where versions of order lines are from: the version that was known then, else the line."""
    ids = tuple(line for _, line, _ in records)
    lines, versions = {}, {}
    for source, model in telling(question, "int_order_lines__unioned"):
        for row in question.rows(by_id(model, "order_line_id"), ids=ids):
            lines[row["id"]] = place(source, row)
    for source, model in telling(question, "int_order_line_versions__unioned"):
        for row in question.rows(by_id(model, "order_line_id", "known_at"), ids=ids):
            versions[row["id"], row["known_at"]] = place(source, row)
    found = {record: versions.get(record[1:]) or lines.get(record[1]) for record in records}
    return {record: place for record, place in found.items() if place}


def of_refunds(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where refunds are from: of several of a line, the last that was known by then."""
    found = {}
    for source, model in telling(question, "int_order_line_refunds__unioned"):
        rows = question.rows(by_id(model, "order_line_id", "known_at"), ids=tuple(line for _, line, _ in records))
        for record in records:
            known = [row for row in rows if row["id"] == record[1] and row["known_at"] <= record[2]]
            if known:
                found[record] = place(source, max(known, key=lambda row: (row["known_at"], row["source_key"] or "")))
    return found


def of_orders(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where orders are from: the order's record, or its first line where it has none of its own."""
    ids, found = tuple(order for _, order in records), {}
    for model, first in (("int_order_lines__unioned", "order_line_id desc"), ("int_orders__unioned", "order_id")):
        for source, relation_name in telling(question, model):
            for row in question.rows(f"{by_id(relation_name, 'order_id')} order by {first}", ids=ids):
                found["order", row["id"]] = place(source, row)
    return found


def of_responses(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where responses to campaigns are from."""
    return of_model(question, records, "marketing", "stg_marketing__events", "event_id")


def of_contacts(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where contacts of the CRM are from."""
    return of_model(question, records, "crm", "stg_crm__contacts", "contact_id")


def of_accounts(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where accounts of the shop are from."""
    return of_model(question, records, "shop", "stg_shop__customers", "account_id")


def of_model(question: Question, records: list[tuple], source: str, model: str, key: str) -> dict[tuple, Place]:
    """Return where records of one staging model are from, by its key."""
    query = f"{by_id(relation(question, model), key)} and record_status = 'accepted'"
    rows = question.rows(query, ids=tuple(record[1] for record in records))
    return {(records[0][0], row["id"]): place(source, row) for row in rows}


def of_feeds(question: Question, records: list[tuple]) -> dict[tuple, Place]:
    """Return where rows of the product feed are from."""
    rows = question.rows(
        """select product_id, feed_date, source_file, source_line, source_key from staging.stg_catalog__products
        where record_status = 'accepted' and product_id in $ids""",
        ids=tuple(sorted({product for _, product, _ in records})),
    )
    found = {("feed", row["product_id"], row["feed_date"]): place("catalog", row) for row in rows}
    return {record: found[record] for record in records if record in found}


FINDERS = {
    "event": of_events,
    "line": of_lines,
    "refund": of_refunds,
    "order": of_orders,
    "response": of_responses,
    "contact": of_contacts,
    "account": of_accounts,
    "feed": of_feeds,
}
"""What finds the records of each kind, by the first word of `Fact.record`."""


def place(source: str, row: dict[str, Any]) -> Place:
    """Return the place that a staging row tells."""
    return Place(source, *(row[column] for column in COLUMNS))


def by_id(relation: str, key: str, *others: str) -> str:
    """Return a query for the places of the rows whose key is in `$ids`."""
    columns = ", ".join([f"{key} as id", *others, *COLUMNS])
    return f"select {columns} from {relation} where {key} in $ids"


def relation(question: Question, model: str) -> str:
    """Return where a model's table is."""
    node = question.models[model]
    return f"{node['schema']}.{node['alias']}"


def telling(question: Question, union: str) -> list[tuple[str, str]]:
    """Return the source and the table of each staging model under a union that tells where its rows are from."""
    found = []
    for unique_id in question.models[union]["depends_on"]["nodes"]:
        model = unique_id.rsplit(".", 1)[-1]
        if not model.startswith("stg_"):
            continue
        columns = question.rows(f"describe {relation(question, model)}")
        if {column["column_name"] for column in columns} >= set(COLUMNS):
            found.append((model.removeprefix("stg_").split("__")[0], relation(question, model)))
    return found
