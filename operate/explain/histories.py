"""What sources told of a customer or a product over time: which of it was known, and still held, when the day began."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from operate.explain.facts import Fact, Found, Question, outside

ATTRIBUTE = """
with contacts as (

    select
        contacts.contact_id,
        contacts.updated_at,
        contacts.country_code = changes.value as tells_country,
        changes.valid_from as changed_at,
        contains(coalesce(contacts.lifecycle_stage_history, ''), '"' || changes.value || '"')
        or contacts.lifecycle_stage = changes.value as tells_stage,
        contacts.loyalty_id is not null as tells_card
    from staging.stg_crm__contacts as contacts
    inner join intermediate.int_identity__contact_owners as owners on contacts.contact_id = owners.contact_id
    cross join (
        select value, valid_from from intermediate.int_customers__changed
        where customer_id = $customer_id and attribute = $attribute
    ) as changes
    where
        owners.customer_id = $customer_id
        and contacts.record_status = 'accepted'
        and case $attribute
            when 'country_code' then tells_country
            when 'lifecycle_stage' then tells_stage
            else tells_card
        end

)

select
    changes.value,
    changes.valid_from,
    changes.valid_to,
    (
        select account_id from staging.stg_shop__customers as accounts
        where
            $attribute = 'country_code'
            and accounts.account_id = $customer_id
            and accounts.country_code = changes.value
            and coalesce(accounts.updated_at, accounts.created_at) = changes.valid_from
        limit 1
    ) as account_id,
    (
        select min_by(contact_id, abs(epoch(contacts.updated_at) - epoch(changes.valid_from)))
        from contacts
        where contacts.changed_at = changes.valid_from
    ) as contact_id
from intermediate.int_customers__changed as changes
where changes.customer_id = $customer_id and changes.attribute = $attribute
order by changes.valid_from
"""

# What first told of the customer: the same sightings as int_customers__found.
SIGHTINGS_OF_A_CUSTOMER = """
select 'account created' as kind, min(created_at) as known_at, 'account' as told_by, account_id as id
from staging.stg_shop__customers
where record_status = 'accepted' and account_id = $customer_id
group by account_id

union all

select 'linked by ' || identifier_type, min(linked_at), 'link ' || identifier_type, min_by(identifier, linked_at)
from intermediate.int_identity__links
where customer_id = $customer_id
group by identifier_type

union all

select 'logged in', min(known_at), 'event', min_by(event_id, known_at)
from intermediate.int_identity__logins
where identity_type = 'account' and identity = $customer_id
having count(*) > 0

union all

select 'ordered', min(valid_from), 'order', min_by(order_id, valid_from)
from intermediate.int_order_owners__versioned
where account_id = $customer_id
having count(*) > 0

order by known_at
"""

# What told of an identifier, nearest to the moment of the link first.
TELLERS = """
with tellers as (

    select 'account' as told_by, account_id as id, created_at as told_at
    from staging.stg_shop__customers
    where $identifier_type = 'email' and email_hash = $identifier and record_status = 'accepted'

    union all

    select 'contact', contact_id, known_at
    from intermediate.int_contacts__identified
    where identifier_type = $identifier_type and identifier = $identifier

    union all

    select 'contact', contact_id, created_at
    from staging.stg_crm__contacts
    where $identifier_type = 'contact' and contact_id = $identifier and record_status = 'accepted'

    union all

    select 'order', order_id, valid_from
    from intermediate.int_order_owners__versioned
    where $identifier = case $identifier_type when 'email' then email_hash when 'loyalty_id' then loyalty_id end

    union all

    select 'event', event_id, known_at
    from intermediate.int_identity__logins
    where $identifier_type = 'device' and device_id = $identifier

)

select told_by, id from tellers
order by abs(epoch(told_at) - epoch(cast($linked_at as timestamp))), told_by, id
limit 1
"""

SIGHTINGS_OF_A_PRODUCT = """
select 'feed' as kind, min(known_at) as known_at, 'feed' as told_by, null as source, null as id
from intermediate.int_products__versioned
where product_id = $product_id
having count(*) > 0

union all

select min_by(event_kind, (known_at, source, event_id)), min(known_at), 'event',
    min_by(source, (known_at, source, event_id)), min_by(event_id, (known_at, source, event_id))
from intermediate.int_events__unioned
where product_id = $product_id and allows_analytics and not is_declared_bot
having count(*) > 0

union all

select 'ordered', min(known_at), 'line', null, min_by(order_line_id, (known_at, order_line_id))
from intermediate.int_order_lines__unioned
where product_id = $product_id
having count(*) > 0

order by known_at
"""

FEEDS = """
select
    versions.feed_date,
    versions.valid_from,
    versions.known_at,
    versions.category,
    versions.price,
    versions.availability,
    versions.is_in_stock,
    last.feed_date as last_feed_date
from intermediate.int_products__versioned as versions
cross join (
    select max(feed_date) as feed_date from intermediate.int_products__versioned
    where feed_date < $day
) as last
where versions.product_id = $product_id
order by versions.feed_date
"""


def attribute(question: Question, name: str) -> Found:
    """Return what CRM and shop told of an attribute of the customer (int_customers__changed) over time."""
    facts = []
    for row in question.rows(ATTRIBUTE, attribute=name):
        why_not = None
        if row["valid_from"].date() >= question.day:
            why_not = f"not known yet: told {row['valid_from']:%Y-%m-%d %H:%M}"
        elif row["valid_to"].date() < question.day:
            why_not = f"replaced: {row['valid_to']:%Y-%m-%d %H:%M}"
        # At 00:00 exactly the old value still holds: what is known at feature_at is not known before it.
        record = ("account", row["account_id"]) if row["account_id"] else None
        if record is None and row["contact_id"]:
            record = ("contact", row["contact_id"])
        facts.append(
            Fact(
                kind=name,
                event_at=row["valid_from"],
                known_at=row["valid_from"],
                record=record,
                why_not=why_not,
                detail=row["value"],
                numbers={"value": row["value"]},
            )
        )
    return Found(facts)


def held(found: Found) -> str | None:
    """Return the value that held; None when none was told."""
    return next((fact.numbers["value"] for fact in reversed(found.counted)), None)


def first_seen(question: Question, sightings: list[dict[str, Any]]) -> Found:
    """Return what told of an entity first, which counts, and what told of it as well."""
    first = min((row["known_at"] for row in sightings), default=None)
    facts = []
    for row in sightings:
        fact = Fact(
            kind=row["kind"], event_at=row["known_at"], known_at=row["known_at"], record=record_of(question, row)
        )
        if row["known_at"].date() >= question.day:
            fact = replace(fact, why_not=f"not known yet: {row['known_at']:%Y-%m-%d %H:%M}")
        elif row["known_at"] > first:
            fact = replace(fact, why_not=f"known already: since {first:%Y-%m-%d %H:%M}")
        facts.append(fact)
    return Found(facts)


def customer_seen(question: Question) -> Found:
    """Return what first told of the customer."""
    return first_seen(question, question.rows(SIGHTINGS_OF_A_CUSTOMER))


def product_seen(question: Question) -> Found:
    """Return what first told of the product."""
    return first_seen(question, question.rows(SIGHTINGS_OF_A_PRODUCT))


def record_of(question: Question, row: dict[str, Any]) -> tuple[Any, ...] | None:
    """Return how to find the record of a sighting."""
    told_by, identifier = row["told_by"], row["id"]
    if told_by.startswith("link "):
        teller = question.row(
            TELLERS, identifier_type=told_by.removeprefix("link "), identifier=identifier, linked_at=row["known_at"]
        )
        if teller is None:
            return None
        told_by, identifier = teller["told_by"], teller["id"]
    if told_by == "event":
        return ("event", row.get("source"), identifier)
    if told_by == "feed":
        return ("feed", question.key["product_id"], row["known_at"].date())
    if told_by == "line":
        return ("line", identifier, row["known_at"])
    return (told_by, identifier)


def feeds(question: Question, days: int) -> Found:
    """Return what the product feeds said of the product: of those out before the day, the last `days` days count.

    Without the product in the last feed nothing counts.
    """
    rows = question.rows(FEEDS)
    listed = any(row["feed_date"] == row["last_feed_date"] for row in rows)
    facts, before, after = [], 0, 0
    for row in rows:
        last = row["last_feed_date"]
        why_not = None
        if row["feed_date"] >= question.day:
            after += 1
            why_not = f"not known yet: the feed of {row['feed_date']}"
        elif not listed:
            why_not = f"delisted: not in the last feed, of {last}"
        elif row["feed_date"] <= last - timedelta(days=days):
            why_not = f"replaced: by the feed of {last}" if days == 1 else f"too old: {days} days up to {last} count"
        # The feeds next to those that count are enough to see why they do not.
        if why_not and not timedelta(days=-1) <= question.day - row["feed_date"] <= timedelta(days=days + 3):
            before += row["feed_date"] < question.day
            continue
        after -= row["feed_date"] >= question.day
        price = "no price" if row["price"] is None else f"{row['price']:.2f}"
        facts.append(
            Fact(
                kind="feed",
                event_at=row["valid_from"],
                known_at=row["known_at"],
                record=("feed", question.key["product_id"], row["feed_date"]),
                product_id=question.key["product_id"],
                why_not=why_not,
                detail=", ".join(filter(None, [price, row["availability"], row["category"]])),
                numbers={name: row[name] for name in ("price", "category", "is_in_stock")},
            )
        )
    return Found(facts, outside(replace(question, days=days), before, after))
