"""What is true of the company, as Parquet beside its files: for tests to score against, never for a loader to read.

| file | a row is |
|---|---|
| persons | a person, with the ids and the address that the systems know them by |
| identities | a device that a person uses |
| device_spans | a time through which the visits on a device are one person's; `until` is null for the last |
| sessions | a visit: whose, on which device, and from when logged in (null: never) |
| events | a line of web or app: what it is and what is wrong with it; person_id is -1 for a bot |
| orders, order_lines | an order, or a line of it, of any sales channel, in its own currency |
| spoiled_lines | a record that no reader can take as it stands, and why |
| repeated_files | a file that holds another one's records again |
| merged_contacts | a contact that was merged into another one and is gone |
| files | a file: records without the header, of these copies and spoiled ones |
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sample.behaviour import NEVER, Sessions
from sample.world import People, Size

UTC_SECONDS = pa.timestamp("s")
SCHEMAS = {
    "order_lines": pa.schema(
        {
            "channel": pa.string(), "order_id": pa.string(), "line": pa.int64(), "person_id": pa.int64(),
            "placed_at": pa.int64(), "currency": pa.string(), "sku": pa.string(), "quantity": pa.int64(),
            "gross": pa.float64(), "discount": pa.float64(), "tax": pa.float64(), "refunded": pa.float64(),
            "is_cancelled": pa.bool_(), "is_test": pa.bool_(), "is_unknown_product": pa.bool_(),
        }
    ),
    "orders": pa.schema(
        {
            "channel": pa.string(), "order_id": pa.string(), "person_id": pa.int64(), "placed_at": UTC_SECONDS,
            "currency": pa.string(), "lines": pa.int64(), "gross": pa.float64(), "discount": pa.float64(),
            "tax": pa.float64(), "refunded": pa.float64(), "is_cancelled": pa.bool_(), "is_test": pa.bool_(),
        }
    ),
    "spoiled_lines": pa.schema(
        {"source": pa.string(), "file": pa.string(), "line": pa.int64(), "reason": pa.string()}
    ),
    "repeated_files": pa.schema({"source": pa.string(), "file": pa.string(), "of": pa.string(), "lines": pa.int64()}),
    "merged_contacts": pa.schema(
        {"crm_contact_id": pa.string(), "merged_contact_id": pa.string(), "person_id": pa.int64()}
    ),
    "identities": pa.schema({"anonymous_id": pa.string(), "person_id": pa.int64()}),
    "files": pa.schema(
        {
            "source": pa.string(), "file": pa.string(), "records": pa.int64(), "copies": pa.int64(),
            "spoiled": pa.int64(),
        }
    ),
}  # fmt: skip


@dataclass
class Told:
    """What the writers tell of what they wrote; rows are as in `SCHEMAS`, records are counted by source and file."""

    records: Counter = field(default_factory=Counter)
    spoiled: list[dict] = field(default_factory=list)
    repeated: list[dict] = field(default_factory=list)
    order_lines: list[dict] = field(default_factory=list)
    merged: list[dict] = field(default_factory=list)
    order_tax: dict[str, float] = field(default_factory=dict)  # of orders whose lines have none of their own

    def add(self, other: "Told") -> None:
        """Take in what another writer told."""
        self.records.update(other.records)
        self.spoiled += other.spoiled
        self.repeated += other.repeated
        self.order_lines += other.order_lines
        self.merged += other.merged
        self.order_tax |= other.order_tax


def write_truth(to: Path, size: Size, people: People, sessions: Sessions, events: pa.Table, told: Told) -> None:
    """Write all files of the truth below `to`."""
    to.mkdir(parents=True, exist_ok=True)
    used = {(int(p), bool(a)) for p, a in zip(sessions.person.tolist(), sessions.is_app.tolist(), strict=True)}
    files = list(files_of(told, events))
    tables = {
        "persons": persons(size, people, told.merged),
        "events": events,
        "sessions": visits(size, people, sessions),
        "device_spans": device_spans(size, people, sessions),
    }
    rows = {
        "identities": [{"anonymous_id": device(people, p, app), "person_id": p} for p, app in sorted(used)],
        "order_lines": told.order_lines,
        "orders": list(orders(told)),
        "spoiled_lines": told.spoiled,
        "repeated_files": told.repeated,
        "merged_contacts": told.merged,
        "files": files,
    }
    for name, table in tables.items():
        pq.write_table(table, to / f"{name}.parquet")
    for name, found in rows.items():
        pq.write_table(pa.Table.from_pylist(found, SCHEMAS[name]), to / f"{name}.parquet")
    (to / "totals.json").write_text(json.dumps(totals(files), indent=1))


def device(people: People, person: int, is_app: bool) -> str:
    """Return the anonymous id of a person's visits in the app, or on the web, where two may share a device."""
    return f"app-{person:06d}" if is_app else f"web-{people.device[person]:06d}"


def moments(size: Size, seconds: np.ndarray, known: np.ndarray | None = None) -> pa.Array:
    """Return seconds from the first day as times in UTC, null where not `known`."""
    base = size.start.astype("datetime64[s]").astype(np.int64)
    mask = None if known is None else ~known
    return pa.array(base + seconds.astype(np.int64), UTC_SECONDS, mask=mask)


def persons(size: Size, people: People, merged: list[dict]) -> pa.Table:
    """Return the persons; ids that had not been given by the last day are null."""
    joined = people.joined < size.days
    merged_into = {row["person_id"]: row["merged_contact_id"] for row in merged}

    def text(ids: np.ndarray, known: np.ndarray) -> list[str | None]:
        return [str(each) if each and yet else None for each, yet in zip(ids.tolist(), known.tolist(), strict=True)]

    return pa.table({
        "person_id": np.arange(size.customers),
        "shop_customer_id": pa.array(text(people.account, joined), pa.string()),
        "crm_contact_id": pa.array(text(people.contact, joined), pa.string()),
        "loyalty_id": pa.array(text(people.loyalty, np.ones_like(joined)), pa.string()),
        "email": people.email.tolist(),
        "country": people.country.tolist(),
        "merged_contact_id": pa.array([merged_into.get(p) for p in range(size.customers)], pa.string()),
        "phone": people.phone.tolist(),
    })  # fmt: skip


def visits(size: Size, people: People, sessions: Sessions) -> pa.Table:
    """Return the sessions by person and time."""
    who, on_app = sessions.person.tolist(), sessions.is_app.tolist()
    logged_in = sessions.login < NEVER
    login = sessions.start + np.where(logged_in, np.maximum(sessions.login, 0), 0)
    return pa.table({
        "anonymous_id": [device(people, p, app) for p, app in zip(who, on_app, strict=True)],
        "person_id": sessions.person,
        "is_app": sessions.is_app,
        "started_at": moments(size, sessions.start),
        "logged_in_at": moments(size, login, logged_in),
    })  # fmt: skip


def device_spans(size: Size, people: People, sessions: Sessions) -> pa.Table:
    """Return who used a device from when until when; until is when the next one began, null for the last."""
    number = np.where(sessions.is_app, sessions.person, people.device[sessions.person]) * 2 + sessions.is_app
    order = np.lexsort((sessions.start, number))
    number, person, start = number[order], sessions.person[order], sessions.start[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (number[1:] != number[:-1]) | (person[1:] != person[:-1])
    number, person, start = number[is_first], person[is_first], start[is_first]
    followed = np.zeros(len(number), dtype=bool)
    followed[:-1] = number[1:] == number[:-1]
    return pa.table({
        "anonymous_id": [device(people, p, bool(n % 2)) for p, n in zip(person.tolist(), number.tolist(), strict=True)],
        "person_id": person,
        "from": moments(size, start),
        "until": moments(size, np.append(start[1:], 0), followed),
    })  # fmt: skip


def orders(told: Told) -> Iterator[dict]:
    """Yield the orders with the sums of their lines; an amount that no line has yet is null."""
    by_order = defaultdict(list)
    for line in told.order_lines:
        by_order[line["channel"], line["order_id"]].append(line)
    for (channel, order), lines in by_order.items():
        sums = {}
        for name in ("gross", "discount", "tax", "refunded"):
            amounts = [line[name] for line in lines if line[name] is not None]
            sums[name] = round(sum(amounts), 2) if amounts else None
        if channel == "web_shop":
            sums["tax"] = told.order_tax[order]
        same = ("person_id", "placed_at", "currency", "is_cancelled", "is_test")
        of_order = {name: lines[0][name] for name in same}
        of_order["placed_at"] = int(of_order["placed_at"])
        yield {"channel": channel, "order_id": order, "lines": len(lines), **of_order, **sums}


def files_of(told: Told, events: pa.Table) -> Iterator[dict]:
    """Yield every file that holds records, with how many, how many of these are copies, and how many spoiled."""
    spoiled = Counter((row["source"], row["file"]) for row in told.spoiled)
    copies = Counter({(row["source"], row["file"]): row["lines"] for row in told.repeated})
    counted = events.filter(events["is_copy"]).group_by(["source", "file"]).aggregate([([], "count_all")]).to_pylist()
    copies += Counter({(row["source"], row["file"]): row["count_all"] for row in counted})
    for (source, file), records in sorted(told.records.items()):
        counts = {"records": records, "copies": copies[source, file], "spoiled": spoiled[source, file]}
        yield {"source": source, "file": file, **counts}


def totals(files: list[dict]) -> dict:
    """Return sums by source; `lines`, `copies`, `spoiled` and `files` speak of the clickstream."""
    by_source: dict[str, Counter] = defaultdict(Counter)
    for row in files:
        by_source[row["source"]] += Counter(files=1, **{n: row[n] for n in ("records", "copies", "spoiled")})
    stream = [row for row in files if row["source"] in ("web", "mobile")]
    return {
        "lines": sum(row["records"] for row in stream),
        "copies": sum(row["copies"] for row in stream),
        "spoiled": sum(row["spoiled"] for row in stream),
        "files": {f"{row['source']}/{row['file']}": row["records"] for row in stream},
        "sources": {
            source: {name: counts[name] for name in ("files", "records", "copies", "spoiled")}
            for source, counts in sorted(by_source.items())
        },
    }
