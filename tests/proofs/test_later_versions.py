"""A record may say something else later: features count that from then on, and not a day earlier."""

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from operate.explain.command import same, value_of
from operate.explain.facts import Question
from operate.explain.features import features_of, models_of
from operate.explain.places import places
from operate.proofs.compare import compare
from operate.proofs.proofs import FEATURES
from operate.proofs.raw import complete_load
from operate.state import project_variables
from tests.conftest import Build

LAST_DAY = "(select date_trunc('day', max(created_at)) from raw_shop.orders)"
KEYS = {
    "customer_features": ["customer_id"],
    "customer_product_features": ["customer_id", "product_id"],
    "customer_category_features": ["customer_id", "category"],
    "product_features": ["product_id"],
    "product_pairs": ["relation", "product_id", "related_product_id"],
}


def copied(build: Build, folder: Path) -> Build:
    folder.mkdir()
    shutil.copy(build.warehouse, folder / "warehouse.duckdb")
    shutil.copytree(build.folder / "target", folder / "target")
    return replace(build, folder=folder)


def land_tombstones(connection: duckdb.DuckDBPyConnection, is_deleted: bool, when: str) -> tuple[int, int]:
    """Land that an order, a line of another, and a refund's line are gone or there again; return the first two."""
    order, line = connection.execute("""
        select
            min(orders.id),
            min(lines.id) filter (where orders.id > (select min(id) from raw_shop.orders where cancelled_at is null))
        from raw_shop.orders as orders
        inner join raw_shop.order_line as lines on orders.id = lines.order_id
        where orders.cancelled_at is null and lines.sku is not null
    """).fetchone()
    (refund_line,) = connection.execute("select max(id) from raw_shop.order_line_refund").fetchone()
    load = "gone" if is_deleted else "there again"
    connection.executemany(
        f"insert into raw_shop.tombstones (table_name, id, is_deleted, content_hash, landed_at, _dlt_load_id) "
        f"values (?, ?, ?, ?, {when}, '{load}')",
        [
            (table, row, is_deleted, f"{load} {table}")
            for table, row in (("orders", order), ("order_line", line), ("order_line_refund", refund_line))
        ],
    )
    complete_load(connection, "raw_shop", load)
    return order, line


def land_later_versions(connection: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    """On the last day, guests' orders are given to an account and people change their address to that account's.

    Ordered lines, some of orders that were made on the web, become lines of another product, and others are added.
    Returns the account and how many orders it was given.
    """
    connection.execute("set TimeZone = 'UTC'")
    account, email = connection.execute("select id, email from raw_shop.customers order by id limit 1").fetchone()
    bookkeeping = """
        content_hash || '2' as content_hash,
        (select max(landed_at) from raw_shop.orders) + interval 1 hour as landed_at,
        'later' as _dlt_load_id
    """
    given = connection.execute(f"""
        insert into raw_shop.orders
        select * replace (
            {account} as customer_id,
            (select date_trunc('day', max(created_at)) + interval 6 hour from raw_shop.orders) as updated_at,
            {bookkeeping}
        )
        from raw_shop.orders where customer_id is null and cancelled_at is null order by created_at limit 5
    """).fetchone()[0]
    connection.execute(f"""
        insert into raw_marketing.profiles
        select * replace (
            json_merge_patch(payload, '{{"attributes": {{"email": "{email}"}}}}') as payload, {bookkeeping}
        )
        from raw_marketing.profiles order by source_key limit 20
    """)
    connection.execute(f"""
        insert into raw_shop.order_line
        select * replace (
            (select min(sku) from raw_shop.order_line) as sku, {bookkeeping}
        )
        from raw_shop.order_line where sku is not null 
        qualify row_number() over (partition by id % 20 order by id desc) = 1
    """)
    # Orders are edited, which adds a line to them.
    connection.execute(f"""
        insert into raw_shop.order_line
        select * replace (id + 1000000000 as id, {bookkeeping})
        from raw_shop.order_line where sku is not null order by id desc limit 20
    """)
    for schema in ("raw_shop", "raw_marketing"):
        complete_load(connection, schema, "later")
    return str(account), given


def land_corrected_orders(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """On the last day, orders turn out to be in another currency, most of them of another day, too; return them."""
    orders = connection.execute(f"""
        insert into raw_shop.orders
        select * replace (
            case when currency = 'EUR' then 'GBP' else 'EUR' end as currency,
            created_at + (id % 3 - 1) * interval 1 day as created_at,
            {LAST_DAY} + interval 7 hour as updated_at,
            'corrected ' || id as content_hash,
            (select max(landed_at) from raw_shop.orders) + interval 1 hour as landed_at,
            'corrected' as _dlt_load_id
        )
        from raw_shop.orders
        where customer_id is not null and cancelled_at is null and created_at < {LAST_DAY} - interval 1 day
        qualify row_number() over (partition by id in (select order_id from raw_shop.refund) order by id desc) <= 20
        returning 'web_shop-' || id
    """).fetchall()
    complete_load(connection, "raw_shop", "corrected")
    return [order for (order,) in orders]


def land_what_turns_out(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """On the last day orders turn out to be tests or none, or cancelled long ago, and items, too; a till is late.

    Returns the names of these orders, and of the items' lines.
    """
    bookkeeping = """
        content_hash || ' turned out' as content_hash,
        landed_at + interval 1 hour as landed_at,
        'turned out' as _dlt_load_id
    """
    tests = connection.execute(f"""
        insert into raw_shop.orders
        select * replace (true as test, {LAST_DAY} + interval 7 hours as updated_at, {bookkeeping})
        from raw_shop.orders
        where
            customer_id is not null and cancelled_at is null and not test and created_at < {LAST_DAY} - interval 1 day
            and id not in (select id from raw_shop.orders where _dlt_load_id = 'corrected')
        order by id limit 12 offset 3
        returning 'web_shop-' || id
    """).fetchall()
    cancelled = connection.execute(f"""
        insert into raw_shop.orders
        select * replace (
            created_at as cancelled_at, {LAST_DAY} + interval 7 hours as updated_at, {bookkeeping}
        )
        from raw_shop.orders
        where
            customer_id is not null and cancelled_at is null and not test and updated_at < {LAST_DAY} - interval 1 day
            and id not in (select id from raw_shop.orders where _dlt_load_id in ('corrected', 'turned out'))
        order by id desc limit 12
        returning 'web_shop-' || id
    """).fetchall()
    sales = connection.execute(f"""
        insert into raw_shop.orders
        select * replace (false as test, {LAST_DAY} + interval 7 hours as updated_at, {bookkeeping})
        from raw_shop.orders
        where test and cancelled_at is null and created_at < {LAST_DAY} - interval 1 day
            and id not in (select id from raw_shop.orders where not test)
        returning 'web_shop-' || id
    """).fetchall()
    items = connection.execute(f"""
        insert into raw_marketplace.orders
        select * replace (
            json_merge_patch(fields, json_object(
                'item-status', 'Cancelled', 'quantity', '0', 'item-price', '',
                'last-updated-date', strftime({LAST_DAY} + interval 7 hours, '%Y-%m-%dT%H:%M:%S+00:00')
            )) as fields,
            'turned out' as source_file,
            {bookkeeping}
        )
        from raw_marketplace.orders
        where
            (fields ->> '$."order-status"') = 'Shipped'
            and try_cast(fields ->> '$."last-updated-date"' as timestamptz) < {LAST_DAY}
        order by content_hash limit 12
        returning 'marketplace-' || (fields ->> '$."amazon-order-id"') || '-' || (fields ->> '$.sku')
    """).fetchall()
    offline = connection.execute(f"""
        insert into raw_store.transactions
        select * replace (
            json_merge_patch(fields, json_object('transaction_id', 'offline' || source_line)) as fields,
            (fields ->> '$.store_id') || strftime({LAST_DAY}, '/%Y-%m-%d-offline.csv') as source_file,
            {bookkeeping}
        )
        from raw_store.transactions
        where
            try_cast(fields ->> '$.sold_at' as timestamptz) < {LAST_DAY} - interval 5 days
            and (fields ->> '$.is_return') = 'false'
        order by content_hash limit 12
        returning 'store-' || (fields ->> '$.store_id') || '-' || left(fields ->> '$.sold_at', 10)
            || '-' || (fields ->> '$.transaction_id')
    """).fetchall()
    for schema in ("raw_shop", "raw_marketplace", "raw_store"):
        complete_load(connection, schema, "turned out")
    found = {"tests": tests, "cancelled": cancelled, "sales": sales, "items": items, "offline": offline}
    return {name: [order for (order,) in orders] for name, orders in found.items()}


def land_identifiers(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """On the last day contacts have another address and the card of somebody who bought at a till; return the cards."""

    def history(value: str) -> str:
        when = f"strftime({LAST_DAY} + interval 6 hours, '%Y-%m-%dT%H:%M:%S.000Z')"
        return f"json_array(json_object('value', {value}, 'timestamp', {when}))"

    email = "'new' || (payload ->> '$.properties.email')"
    cards = connection.execute(f"""
        insert into raw_crm.contacts
        with unowned as (
            select distinct fields ->> '$.loyalty_id' as card from raw_store.transactions
            where (fields ->> '$.loyalty_id') <> ''
            except
            select payload ->> '$.properties.loyalty_id' from raw_crm.contacts
        )
        select * exclude (card, place) replace (
            json_merge_patch(payload, json_object(
                'updatedAt', strftime({LAST_DAY} + interval 7 hours, '%Y-%m-%dT%H:%M:%S.000Z'),
                'properties', json_object('loyalty_id', card, 'email', {email}),
                'propertiesWithHistory', json_object('loyalty_id', {history("card")}, 'email', {history(email)})
            )) as payload,
            content_hash || card as content_hash,
            landed_at + interval 1 hour as landed_at,
            'identified' as _dlt_load_id
        )
        from (select *, row_number() over (order by source_key desc) as place from raw_crm.contacts) as contacts
        inner join (select *, row_number() over (order by card) as place from unowned) as cards using (place)
        returning payload ->> '$.properties.loyalty_id'
    """).fetchall()
    complete_load(connection, "raw_crm", "identified")
    return {card for (card,) in cards}


def land_backdated_properties(connection: duckdb.DuckDBPyConnection) -> None:
    """On the last day contacts' histories tell of a stage and a refusal that no version of then knew of."""

    def history(name: str, value: str) -> str:
        entry = f"json_object('value', '{value}', 'timestamp', payload ->> '$.updatedAt')"
        return f"'{name}', list_append(cast(payload -> '$.propertiesWithHistory.{name}' as json[]), {entry})"

    changed = ", ".join((history("lifecyclestage", "evangelist"), history("personalization_consent", "No")))
    connection.execute(f"""
        insert into raw_crm.contacts
        select * replace (
            json_merge_patch(payload, json_object(
                'updatedAt', strftime({LAST_DAY} + interval 7 hours, '%Y-%m-%dT%H:%M:%S.000Z'),
                'propertiesWithHistory', json_object({changed})
            )) as payload,
            content_hash || 'backdated' as content_hash,
            landed_at + interval 1 hour as landed_at,
            'backdated' as _dlt_load_id
        )
        from raw_crm.contacts
        where
            try_cast(payload ->> '$.updatedAt' as timestamptz) < {LAST_DAY} - interval 5 days
            and (payload -> '$.propertiesWithHistory.lifecyclestage') is not null
        order by source_key limit 20
    """)
    complete_load(connection, "raw_crm", "backdated")


FILES = ("raw_store.transactions", "raw_marketplace.orders", "raw_catalog.products")


def land_read_again(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """On the last day files of before are read again and say otherwise; return the lines of tills and of reports.

    A sale has another quantity, price and card, a report another price; what a feed of before says comes too late.
    """
    said = {
        "raw_store.transactions": (
            """json_merge_patch(
                fields, json_object('quantity', '7', 'unit_price', '3.5', 'loyalty_id', 'named later')
            )""",
            f"""try_cast(fields ->> '$.sold_at' as timestamptz) < {LAST_DAY} - interval 5 days
                and (fields ->> '$.is_return') = 'false'""",
            """'store-' || (fields ->> '$.store_id') || '-' || left(fields ->> '$.sold_at', 10)
                || '-' || (fields ->> '$.transaction_id') || '-' || (fields ->> '$.line_no')""",
        ),
        "raw_marketplace.orders": (
            """json_merge_patch(fields, json_object('item-price', '1000'))""",
            f"""(fields ->> '$."order-status"') = 'Shipped' and (fields ->> '$.quantity') <> '0'
                and try_cast(fields ->> '$."last-updated-date"' as timestamptz) < {LAST_DAY} - interval 5 days""",
            """'marketplace-' || (fields ->> '$."amazon-order-id"') || '-' || (fields ->> '$.sku')""",
        ),
        "raw_catalog.products": (
            """json_merge_patch(fields, json_object('price', '1.00 USD', 'product_type', 'Elsewhere'))""",
            f"""try_cast(regexp_extract(source_file, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') as timestamptz)
                < {LAST_DAY} - interval 1 day""",
            """fields ->> '$.id'""",
        ),
    }
    found = {}
    for table, (fields, which, line) in said.items():
        rows = connection.execute(f"""
            insert into {table}
            select * replace (
                {fields} as fields,
                content_hash || ' read again' as content_hash,
                {LAST_DAY} + interval 6 hours as landed_at,
                'zz read again' as _dlt_load_id
            )
            from {table}
            where _dlt_load_id <> 'turned out' and {which}
            order by content_hash desc limit 12
            returning {line}
        """).fetchall()
        found[table] = [row for (row,) in rows]
        complete_load(connection, table.split(".")[0], "zz read again")
    return found


def evangelists(build: Build) -> tuple[int, int]:
    """How many rows of features say evangelist, and how many of them are of another day than the last."""
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute("""
            select count(*), count(*) filter (feature_at < (select max(feature_at) from features.customer_features))
            from features.customer_features where lifecycle_stage = 'evangelist'
        """).fetchone()


def worth(build: Build, of: list[str], since: datetime) -> tuple[int, int]:
    """What orders, or order lines, were known to be worth before a moment, and are now, in minor units."""
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute(
            """
            select
                coalesce(sum(gross_minor) filter (known_at < $since), 0),
                coalesce(sum(gross_minor), 0)
            from intermediate.int_order_changes__valued
            where order_id in $of or order_line_id in $of
            """,
            {"of": of, "since": since},
        ).fetchone()


def links_since(build: Build, since: datetime) -> set[tuple[str, str]]:
    """The identifiers, with their type, that were linked to somebody at a moment or later."""
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        links = "select identifier_type, identifier from intermediate.int_identity__links where linked_at >= ?"
        return set(connection.execute(links, [since]).fetchall())


def orders_of(build: Build, account: str) -> int:
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute(
            "select max_by(orders_lifetime, feature_at) from features.customer_features where customer_id = $account",
            {"account": account},
        ).fetchone()[0]


def land_what_only_landing_dates(connection: duckdb.DuckDBPyConnection) -> None:
    """Land a version of an order line months after anything happened: the shop does not say when it changed."""
    connection.execute("""
        insert into raw_shop.order_line
        select * replace (
            quantity + 1 as quantity, 'changed' as content_hash, now() as landed_at, 'months later' as _dlt_load_id
        )
        from raw_shop.order_line order by id desc limit 1
    """)
    complete_load(connection, "raw_shop", "months later")


def changes_of(build: Build, order: int, line: int) -> list[tuple]:
    """What changed after the order was placed, and all that changed of the line: what it was, units, returned units."""
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute(f"""
            select change, sum(units) as units, sum(returned_units) as returned_units
            from intermediate.int_order_changes__valued
            where order_id = 'web_shop-{order}' and change <> 'ordered' or order_line_id = 'web_shop-{line}'
            group by order_line_id, known_at, change
            order by order_line_id = 'web_shop-{line}', known_at
        """).fetchall()


def withdrawals(build: Build) -> list[tuple[int]]:
    """Return the units of refunds taken back because their rows are gone, and of those that are there again."""
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute("""
            select sum(quantity) from intermediate.int_order_line_refunds__unioned
            where refund_line_id like '%-withdrawn-%' or refund_line_id like '%-renewed-%'
            group by refund_line_id order by refund_line_id desc
        """).fetchall()


def corrections_of(build: Build, orders: list[str], since: datetime) -> tuple[int, ...]:
    """How many lines of orders are worth something else since a moment, how many refunds of them, and what is wrong.

    Wrong is a line that was there and changed in anything but its worth, or whose changes do not come to what is
    published of it.
    """
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute(
            """
            with changes as (
                select
                    order_line_id,
                    sum(gross_minor - discount_minor) as minor,
                    sum(gross_minor - discount_minor) filter (known_at < $since) as former_minor,
                    sum(refund_minor) as refund_minor,
                    sum(refund_minor) filter (known_at < $since) as former_refund_minor,
                    sum(units) filter (known_at >= $since) as units,
                    bool_or(known_at < $since) as was_there
                from intermediate.int_order_changes__valued
                where order_id in $orders
                group by order_line_id
            )
            select
                count(*) filter (minor <> former_minor),
                count(*) filter (changes.refund_minor <> former_refund_minor),
                count(*) filter (
                    (was_there and units <> 0) or minor <> gross_minor - discount_minor
                    or abs(changes.refund_minor - lines.refund_minor) > 1
                )
            from changes
            inner join intermediate.int_order_lines__priced as lines using (order_line_id)
            """,
            {"orders": orders, "since": since},
        ).fetchone()


def explained(build: Build, orders: list[str]) -> tuple[list[str], set[str]]:
    """Explain buyers' last features: which come to another value than the table's, and what told of corrections."""
    models, variables, wrong, told = models_of(build.folder / "target"), project_variables(), [], set()
    features = [feature for feature in features_of(models) if feature.table == "customer_features"]
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        rows = connection.execute(
            """
            select customer_id, max(feature_at)
            from features.customer_features
            inner join intermediate.int_orders__attributed using (customer_id)
            where order_id in $orders group by all order by all limit 5
            """,
            {"orders": orders},
        ).fetchall()
        for customer, at in rows:
            for feature in features:
                key = {"customer_id": customer}
                question = Question(connection, models, variables, key, at.date(), feature.days)
                value, answer = value_of(question, feature), feature.explained_by(question)
                if not same(value, answer.value):
                    wrong.append(f"{feature.full_name} of {customer}: {value}, by its rows {answer.value}")
                corrections = [fact for fact in answer.facts if fact.kind == "corrected" and fact.counted]
                told |= {place.file for place in places(question, corrections).values()}
    return wrong, told


def test_what_a_later_version_says_counts_from_that_version_on(company: Build, tmp_path: Path) -> None:
    gone = copied(company, tmp_path / "gone")
    with duckdb.connect(str(gone.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        order, line = land_tombstones(connection, True, f"{LAST_DAY} - interval 10 days + interval 6 hours")
        land_what_only_landing_dates(connection)
        for table in FILES:
            connection.execute(f"update {table} set landed_at = {LAST_DAY}")
    gone.dbt("run", "--select", FEATURES)
    later = copied(gone, tmp_path / "later")
    with duckdb.connect(str(later.warehouse)) as connection:
        account, given = land_later_versions(connection)
        assert land_tombstones(connection, False, f"{LAST_DAY} + interval 6 hours") == (order, line)
        corrected = land_corrected_orders(connection)
        turned_out = land_what_turns_out(connection)
        cards = land_identifiers(connection)
        land_backdated_properties(connection)
        read_again = land_read_again(connection)
        (changed,) = connection.execute(f"select {LAST_DAY} at time zone 'UTC'").fetchone()
    assert given == 5
    at_once = copied(later, tmp_path / "at_once")
    later.dbt("run", "--select", FEATURES, "int_order_lines__priced")
    at_once.dbt("run", "--full-refresh", "--select", FEATURES)
    for table, key in KEYS.items():
        feature = f"features.{table}", [*key, "feature_at"]
        # A customer who refuses on the day has no visit on it, and no row asked for by one.
        day = f"timestamp '{changed}'"
        before = compare(gone.warehouse, later.warehouse, *feature, f"feature_at <= {day}", f"feature_at = {day}")
        assert before.rows > 300
        assert before.differing == 0, before.examples
        incremental = compare(later.warehouse, at_once.warehouse, *feature)
        assert incremental.differing == 0, incremental.examples
    with duckdb.connect(str(later.warehouse), read_only=True) as connection:
        taken, added = connection.execute(f"""
            select sum(units) filter (where units < 0), sum(units) filter (where units > 0)
            from intermediate.int_order_changes__valued
            where change = 'corrected' and known_at >= timestamp '{changed}'
        """).fetchone()
    assert all(turned_out.values())
    for name in ("tests", "cancelled", "items"):
        before, after = worth(later, turned_out[name], changed)
        assert (before > 0, after) == (True, 0), name
    for name in ("sales", "offline"):
        before, after = worth(later, turned_out[name], changed)
        assert (before, after > 0) == (0, True), name
    assert len(read_again) == len(FILES)
    for table in ("raw_store.transactions", "raw_marketplace.orders"):
        before, after = worth(later, read_again[table], changed)
        assert 0 < before != after, table
    told, of_before = evangelists(later)
    assert (told > 5, of_before) == (True, 0)
    assert len(cards) > 1
    assert links_since(later, changed) >= {("loyalty_id", card) for card in (*cards, "named later")}
    assert taken < -5
    assert added > 5
    lines, refunds, wrong = corrections_of(later, corrected, changed)
    assert (lines > 20, refunds > 0, wrong) == (True, True, 0)
    unexplained, told = explained(later, corrected)
    assert unexplained == []
    assert "orders" in told
    assert orders_of(later, account) == orders_of(company, account) + given
    *of_order, ordered, deleted, restored = changes_of(later, order, line)
    assert [change for change, *_ in of_order] == ["cancelled", "reinstated"]
    assert of_order[0][1] == -of_order[1][1] < 0
    assert (ordered[0], deleted[0], restored[0]) == ("ordered", "refunded", "refunded")
    assert ordered[1] == deleted[2] == -restored[2] > 0
    (withdrawn,), (renewed,) = withdrawals(later)
    assert withdrawn == -renewed < 0
