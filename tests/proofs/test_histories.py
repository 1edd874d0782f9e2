"""What a load tells changes nothing of what was known before the first day that it tells of.

On that rests that a daily run equals a full build: it begins with that day (`replaced_from`). Thousands of histories
are told here once up to each load, as orders and people of their own, and built at once; each is held against the one
before.
"""

import hmac
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow

from operate.proofs.raw import columns, raw_tables
from tests.conftest import Build
from tests.imported import MANIFEST
from tests.proofs.histories import OF_COPY, OF_HISTORY, Histories
from tests.proofs.test_later_versions import copied

SEED = int(os.environ.get("HISTORIES_SEED", "1"))
"""Other histories than those of every test run: a number of your own."""

ORDERS, LOADS = 1000, 5


@dataclass(frozen=True)
class Known:
    """Which column of a model says from when a row was known, and which until when something of it holds.

    `sums`: of a model of changes, what those of a day come to. `but`: what hangs on ids, which are others in each copy.
    `where`: what is looked at.
    """

    since: str
    until: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    where: str = "true"


SALES = ("units", "returned_units", "gross_minor", "discount_minor", "refund_minor")
AS_KNOWN = {
    "int_order_line_versions__valued": Known("known_at", ("next_known_at",)),
    "int_order_changes__told": Known("known_at", sums=SALES),
    "int_order_changes__valued": Known("known_at", sums=SALES),
    "int_order_owners__versioned": Known("valid_from", ("valid_to",)),
    # Whose a device was is told by its events: these links have two times.
    "int_identity__links": Known("linked_at", ("unlinked_at",), where="identifier_type <> 'device'"),
    "int_customers__found": Known("first_known_at"),
    "int_customers__changed": Known("valid_from", ("valid_to",)),
    "int_events__attributed": Known("known_date", sums=("change",)),
    "int_order_changes__attributed": Known("known_date", sums=SALES),
    "int_customer_orders__known": Known("known_date"),
    "int_product_orders__known": Known("known_date"),
    "int_order_products__known": Known("known_date", but=("place",)),
}
"""What daily runs make of what is new."""

IDS = (
    "order_line_id", "order_id", "event_id", "identifier", "customer_id", "source_order_id", "account_id", "email_hash",
    "loyalty_id", "buyer",
)  # fmt: skip
"""Columns of ids; the first that a model has tells a row's history."""

KEYS = {
    "shop.orders": "order_id",
    "shop.order_line": "order_line_id",
    "shop.refund": "refund_id",
    "shop.order_line_refund": "order_line_refund_id",
    "shop.tombstones": "source_key",
    "marketplace.orders": "order_id",
    "store.transactions": "transaction_id",
    "shop.customers": "account_id",
    "crm.contacts": "contact_id",
    "web.events": "event_id",
}
ARRIVALS = """
{%- set keys = KEYS -%}
{%- for table in var('landed_tables') if table.source ~ '.' ~ table.table in keys %}
select
    {{ keys[table.source ~ '.' ~ table.table] }} as id,
    cast(split_part(load_id, ' ', 2) as bigint) as load,
    cast({{ version_known_at(table) }} as date) as known_date
from {{ ref(table.parsed | default(table.model)) }}
where
    reject_reason is null
    {{ "or reject_reason = '" ~ table.withdrawn ~ "'" if table.withdrawn is defined }}
{{ 'union all' if not loop.last }}
{%- endfor %}
""".replace("KEYS", str(KEYS))
"""What int_arrivals__daily says of a load, of each record by itself."""


def land(build: Build, histories: Histories) -> None:
    with duckdb.connect(str(build.warehouse)) as connection:
        for table in raw_tables(MANIFEST):
            connection.execute(f"delete from {table.relation}")
        histories.land(connection)


def prepare(connection: duckdb.DuckDBPyConnection, arrivals: str, key: str) -> None:
    """Make macros of ids and `known_from`: by history and copy, known_date, from when its last load tells something."""
    connection.execute("set TimeZone = 'UTC'")
    emails = connection.execute("""
        select distinct unnest(regexp_extract_all(payload, '[0-9]+@example.com')) from raw_crm.contacts
        union
        select email from raw_shop.customers
        union
        select email from raw_shop.orders where email is not null
    """).fetchall()
    names = [(hmac.new(key.encode(), email.encode(), "sha256").hexdigest(), email) for (email,) in emails]
    guests = [(f"guest-{hashed[:16]}", f"guest-{email}") for hashed, email in names]
    connection.register(
        "names", pyarrow.Table.from_pylist([{"hashed": hashed, "name": name} for hashed, name in names + guests])
    )
    connection.execute("""
        create temp macro named(id) as coalesce((select any_value(name) from names where hashed = id), id)
    """)
    connection.execute("create temp macro number(id) as try_cast(regexp_extract(id, '[0-9]{8,}') as bigint)")
    connection.execute(f"create temp macro copy_of(id) as number(id) // {OF_COPY} - 1")
    connection.execute(f"create temp macro history_of(id) as number(id) % {OF_COPY} // {OF_HISTORY}")
    plain = f"regexp_replace(id, '[0-9]{{8,}}', cast(number(id) % {OF_COPY} as varchar))"
    connection.execute(f"create temp macro plain(id) as coalesce({plain}, id)")
    connection.execute(f"""
        create temp table known_from as
        select
            history_of(id) as history,
            copy_of(id) as copy,
            coalesce(min(known_date) filter (load = copy_of(id)), date '9999-12-31') as known_date
        from ({arrivals})
        group by all
    """)


def as_known(connection: duckdb.DuckDBPyConnection, model: str) -> str:
    """SQL for a model's rows with their history, copy and day (`since`), and ids that are the same in all copies."""
    known, relation = AS_KNOWN[model], f"intermediate.{model}"
    names = [name for name in columns(connection, relation) if name not in known.but]
    key = next(name for name in IDS if name in names)
    named = ", ".join(f"named({name}) as {name}" for name in names if name in IDS)
    told = ", ".join(
        f"plain({name}) as {name}" if name in IDS else f"sum({name}) as {name}" if name in known.sums else name
        for name in names
    )
    something = " or ".join(f"sum({name}) <> 0" for name in known.sums)
    return f"""
        select
            history_of(rows.{key}) as history,
            copy_of(rows.{key}) as copy,
            cast({known.since} as date) as since,
            {told}
        from (select * replace ({named}) from {relation} where {known.where}) as rows
        {f"group by all having {something}" if known.sums else ""}
    """


def changed_in_retrospect(connection: duckdb.DuckDBPyConnection, model: str) -> tuple[int, list[tuple[int, int]]]:
    """Return how many rows were compared, and of which histories a load changed what was known before it, and which."""
    connection.execute(f"create or replace temp table rows as {as_known(connection, model)}")
    ended = [f"case when {name} < known_from.known_date then {name} end as {name}" for name in AS_KNOWN[model].until]
    before, after = (
        f"""
        select rows.* replace ({", ".join(["known_from.copy as copy", *ended])})
        from known_from
        inner join rows
            on known_from.history = rows.history
            and known_from.copy {shift} = rows.copy
            and known_from.known_date > rows.since
        where known_from.copy > 0
        """
        for shift in ("- 1", "")
    )
    (compared,) = connection.execute(f"select count(*) from ({after})").fetchone()
    changed = connection.execute(f"""
        select history, min(copy) from (
            (({before}) except all ({after})) union all (({after}) except all ({before}))
        ) group by history order by all
    """).fetchall()
    return compared, changed


def not_as_published(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the order lines whose changes do not come to what is published, or, of cancelled ones, to nothing."""
    lines = connection.execute("""
        with changes as (
            select order_line_id, sum(columns('units|_minor'))
            from intermediate.int_order_changes__valued group by order_line_id
        )
        select lines.order_line_id
        from intermediate.int_order_lines__priced as lines
        left join changes using (order_line_id)
        where case
            -- It was cancelled before it had a price, or has none yet.
            when changes.order_line_id is null then lines.source_gross_amount <> 0
            when lines.source_gross_amount is null then false
            when cancelled_at is not null
                then (units, changes.returned_units, changes.gross_minor, changes.discount_minor) <> (0, 0, 0, 0)
            else
                (units, changes.returned_units, changes.gross_minor, changes.discount_minor) is distinct from (
                    case when is_return then 0 else quantity end, returned_quantity, lines.gross_minor,
                    lines.discount_minor
                )
                or abs(changes.refund_minor - lines.refund_minor) > 1
        end
        order by order_line_id
    """)
    return [line for (line,) in lines.fetchall()]


def test_no_load_changes_what_was_known_before(company: Build, tmp_path: Path) -> None:
    build, histories = copied(company, tmp_path / "build"), Histories(SEED, ORDERS, LOADS)
    land(build, histories)
    build.dbt("run", "--full-refresh", "--select", *(f"+{model}" for model in AS_KNOWN), "int_order_lines__priced")
    arrivals = build.dbt("compile", "--quiet", "--inline", ARRIVALS)
    with duckdb.connect(str(build.warehouse)) as connection:
        prepare(connection, arrivals, build.pii_key)
        for model in AS_KNOWN:
            compared, changed = changed_in_retrospect(connection, model)
            told = [line for history, load in changed[:1] for line in histories.told_of(history, load)]
            assert not changed, "\n".join([f"{model}: (history, load) {changed}", *told])
            assert compared > ORDERS, model
        assert not_as_published(connection) == []
