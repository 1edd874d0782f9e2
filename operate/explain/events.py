"""Events of web and app: which of them were known to be a customer's, or to be about a product, when the day began."""

from dataclasses import replace
from datetime import timedelta

from operate.explain.facts import Fact, Found, Question, by_time, outside

OF_A_CUSTOMER = """
with links as (

    select * from intermediate.int_identity__links
    where identifier_type = 'device' and customer_id = $customer_id

),

events as (

    select * from intermediate.int_events__unioned
    where
        event_date >= $first
        and event_date < $day
        and (cast($kinds as varchar[]) is null or list_contains($kinds, event_kind))
        and (cast($product as varchar) is null or product_id = $product)
        and (user_id = $customer_id or (user_id is null and device_id in (select identifier from links)))

),

-- The link that holds on the day, or will: before it is known, the event is nobody's.
linked as (

    select
        events.source,
        events.event_id,
        min(links.linked_at) filter (where cast(links.unlinked_at as date) >= $day) as linked_at,
        max(links.unlinked_at) as unlinked_at
    from events
    inner join links
        on events.device_id = links.identifier
        and events.event_at >= links.valid_from
        and events.event_at < links.valid_to
    where events.user_id is null
    group by events.source, events.event_id

),

counted as (

    select source, event_id
    from intermediate.int_events__attributed
    where customer_id = $customer_id and known_date < $day
    group by source, event_id
    having sum(change) > 0

),

refusals as (

    select valid_from, valid_to
    from intermediate.int_customers__changed
    where customer_id = $customer_id and attribute = 'personalization_consent' and lower(value) = 'false'

)

select
    events.source,
    events.event_id,
    events.event_kind,
    events.event_at,
    greatest(events.known_at, linked.linked_at) as known_at,
    linked.linked_at,
    events.product_id,
    case
        when counted.event_id is not null then null
        when events.is_declared_bot then 'a bot''s: its user agent says so'
        when not events.allows_personalization then 'personalisation was refused where it happened'
        when exists (
            select 1 from refusals where events.event_at >= refusals.valid_from and events.event_at < refusals.valid_to
        ) then 'personalisation was refused in the CRM when it happened'
        when bots.flagged_date < $day then 'a bot''s: too many events in a minute, known since ' || bots.flagged_date
        when events.known_date >= $day then 'not known yet: received ' || strftime(events.known_at, '%Y-%m-%d %H:%M')
        when events.user_id is null and linked.event_id is null then 'someone else''s: the device was not theirs then'
        when events.user_id is null and linked.linked_at is null
            then 'someone else''s: since ' || strftime(linked.unlinked_at, '%Y-%m-%d %H:%M')
        when cast(linked.linked_at as date) >= $day
            then 'not known yet: linked ' || strftime(linked.linked_at, '%Y-%m-%d %H:%M')
        else 'not counted when the features were built'
    end as why_not
from events
left join linked on events.source = linked.source and events.event_id = linked.event_id
left join counted on events.source = counted.source and events.event_id = counted.event_id
left join intermediate.int_bots__flagged as bots on events.device_id = bots.device_id
order by events.event_at, events.source, events.event_id
"""

OUTSIDE_OF_A_CUSTOMER = """
select
    count(distinct (source, event_id)) filter (where event_date < $first) as before,
    count(distinct (source, event_id)) filter (where event_date >= $day) as after
from intermediate.int_events__attributed
where
    customer_id = $customer_id
    and (cast($kinds as varchar[]) is null or list_contains($kinds, event_kind))
    and (cast($product as varchar) is null or product_id = $product)
"""

SHOWN_AND_SEEN = """
select source, event_id, event_kind, event_at, event_date, known_at, known_date, device_id,
    allows_analytics, is_declared_bot
from intermediate.int_events__unioned
where product_id = $product_id and list_contains($kinds, event_kind)

union all

select source, event_id, 'impression', event_at, event_date, known_at, known_date, device_id,
    allows_analytics, is_declared_bot
from intermediate.int_impressions__exploded
where product_id = $product_id and list_contains($kinds, 'impression')
"""

OF_A_PRODUCT = f"""
with events as ({SHOWN_AND_SEEN})

select
    events.source,
    events.event_id,
    events.event_kind,
    events.event_at,
    events.known_at,
    case
        when events.is_declared_bot then 'a bot''s: its user agent says so'
        when not events.allows_analytics then 'analytics was refused where it happened'
        when events.known_date >= $day then 'not known yet: received ' || strftime(events.known_at, '%Y-%m-%d %H:%M')
        when bots.flagged_date < $day then 'a bot''s: too many events in a minute, known since ' || bots.flagged_date
    end as why_not
from events
left join intermediate.int_bots__flagged as bots on events.device_id = bots.device_id
where events.event_date >= $first and events.event_date < $day
order by events.event_at, events.source, events.event_id
"""

OUTSIDE_OF_A_PRODUCT = f"""
select count(*) filter (where event_date < $first) as before, count(*) filter (where event_date >= $day) as after
from ({SHOWN_AND_SEEN})
"""


def of_customer(question: Question, kinds: list[str] | None = None, product: str | None = None) -> Found:
    """Return the customer's events of some kinds (None: all), about one product or any, and those not theirs."""
    facts = [
        Fact(
            kind=row["event_kind"],
            event_at=row["event_at"],
            known_at=row["known_at"],
            record=("event", row["source"], row["event_id"]),
            product_id=row["product_id"],
            why_not=row["why_not"],
            detail=f"linked {row['linked_at']:%Y-%m-%d %H:%M}" if row["linked_at"] and not row["why_not"] else "",
            numbers={"source": row["source"]},
        )
        for row in question.rows(OF_A_CUSTOMER, kinds=kinds, product=product)
    ]
    return Found(facts, outside(question, **question.row(OUTSIDE_OF_A_CUSTOMER, kinds=kinds, product=product)))


def of_product(question: Question, kinds: list[str]) -> Found:
    """Return the events about the product: `view`, `cart`, `click`, and `impression` where a list showed it."""
    facts = [
        Fact(
            kind=row["event_kind"],
            event_at=row["event_at"],
            known_at=row["known_at"],
            record=("event", row["source"], row["event_id"]),
            product_id=question.key["product_id"],
            why_not=row["why_not"],
        )
        for row in question.rows(OF_A_PRODUCT, kinds=kinds)
    ]
    return Found(facts, outside(question, **question.row(OUTSIDE_OF_A_PRODUCT, kinds=kinds)))


def sessions(question: Question) -> Found:
    """Return the sessions that the customer's events make up, as far as they were known: one fact a session.

    Events that did not count follow as they are.
    """
    gap = timedelta(minutes=question.variables["session_gap_minutes"])
    # What came before the window may reach into it: a session that began the evening before is not one of the day.
    events = of_customer(replace(question, days=None))
    counted, starts = events.counted, []
    for place, event in enumerate(counted):
        if place == 0 or event.event_at - counted[place - 1].event_at > gap:
            starts.append(place)
    found = []
    for start, end in zip(starts, [*starts[1:], len(counted)], strict=False):
        first, last = counted[start], counted[end - 1]
        words = f"{end - start} events, until {last.event_at:%H:%M}"
        known = max(event.known_at for event in counted[start:end])
        found.append(replace(first, kind="session", product_id=None, known_at=known, detail=words))
    in_window = [fact for fact in found if fact.event_date >= question.first]
    others = [fact for fact in events.facts if not fact.counted and fact.event_date >= question.first]
    words = outside(question, len(found) - len(in_window), 0)
    return Found(by_time(in_window + others), words)
