"""Sessions and orders that hold two products: which of them were known when the day began."""

from collections.abc import Callable
from math import sqrt
from typing import Any

from operate.explain.facts import Answer, Fact, Found, Question, decayed_micro, outside

# Each product of a session is an event: the first view of it that could have been known, or the order that held it.
SESSIONS = """
with products as (

    select * from intermediate.int_session_products__known
    where product_id in ($product_id, $related_product_id)

),

baskets as (

    select
        viewed.device_id,
        viewed.session_started_at,
        viewed.event_date,
        coalesce(sum(viewed.change) filter (where viewed.known_date < $day), 0) > 0 as is_counted,
        min(viewed.known_date) filter (where viewed.change > 0) as known_date,
        max(viewed.known_date) filter (where viewed.change < 0 and viewed.known_date < $day) as taken_back_date
    from products as viewed
    inner join products as others
        on viewed.device_id = others.device_id
        and viewed.session_started_at = others.session_started_at
        and viewed.known_date = others.known_date
        and viewed.change = others.change
    where
        viewed.product_id = $product_id
        and viewed.side = 'viewed'
        and others.product_id = $related_product_id
        and others.side = $side
    group by viewed.device_id, viewed.session_started_at, viewed.event_date

),

moments as (

    select source, event_id, 'view' as kind, device_id, event_at, known_at, product_id
    from intermediate.int_events__unioned
    where
        event_kind = 'view'
        and allows_analytics
        and not is_declared_bot
        and product_id = case when $side = 'viewed' then product_id else $product_id end
        and product_id in ($product_id, $related_product_id)

    union all

    select events.source, events.event_id, 'order', events.device_id, events.event_at,
        greatest(events.known_at, lines.known_at), lines.product_id
    from intermediate.int_events__unioned as events
    inner join intermediate.int_orders__unioned as orders on events.order_id = orders.source_order_id
    inner join intermediate.int_order_lines__unioned as lines on orders.order_id = lines.order_id
    where
        $side = 'ordered'
        and events.event_kind = 'order'
        and events.allows_analytics
        and not events.is_declared_bot
        and orders.sales_channel = 'web_shop'
        and lines.product_id = $related_product_id

),

firsts as (

    select
        baskets.device_id || strftime(baskets.session_started_at, ' %Y-%m-%d %H:%M') as basket,
        baskets.session_started_at,
        baskets.event_date,
        baskets.is_counted,
        baskets.known_date,
        baskets.taken_back_date,
        moments.kind,
        moments.product_id,
        min(
            {
                'event_at': moments.event_at,
                'source': moments.source,
                'event_id': moments.event_id,
                'known_at': moments.known_at
            }
        ) as moment
    from baskets
    inner join moments
        on baskets.device_id = moments.device_id
        and baskets.session_started_at <= moments.event_at
        and (not baskets.is_counted or cast(moments.known_at as date) < $day)
    group by all

)

select
    * exclude (moment),
    unnest(moment)
from firsts
order by session_started_at, basket, moment.event_at, moment.event_id
"""

ORDERS = """
with changes as (

    select
        order_id,
        product_id,
        min(ordered_at) as event_at,
        min(known_at) as known_at,
        min_by(order_line_id, (known_at, order_line_id)) as order_line_id
    from intermediate.int_order_changes__valued
    where product_id is not null and units > 0
    group by order_id, product_id

),

-- Of a large order some products are drawn.
kept as (

    select changes.* from changes
    inner join intermediate.int_basket_products__known as drawn
        on changes.order_id = drawn.basket_id
        and changes.product_id = drawn.product_id
        and drawn.side = 'bought'

),

shared as (

    select
        one.order_id,
        cast(one.event_at as date) as event_date,
        cast(greatest(one.known_at, other.known_at) as date) as known_date
    from kept as one
    inner join kept as other on one.order_id = other.order_id
    where one.product_id = $product_id and other.product_id = $related_product_id

)

select
    shared.order_id as basket,
    shared.event_date,
    shared.known_date < $day as is_counted,
    shared.known_date,
    cast(null as date) as taken_back_date,
    'ordered' as kind,
    kept.product_id,
    kept.event_at,
    kept.order_line_id,
    kept.known_at
from shared
inner join kept on shared.order_id = kept.order_id
where kept.product_id in ($product_id, $related_product_id)
order by kept.event_at, basket, kept.product_id
"""

BASKETS = """
with sides as (

    select
        case when $relation = 'order_order' then 'bought' else 'viewed' end as holding,
        case $relation when 'order_order' then 'bought' when 'view_order' then 'ordered' else 'viewed' end as related,
        case when $relation = 'order_order' then 'order' else 'session' end as total

)

select
    max(baskets) filter (where side = sides.holding and product_id = $product_id) as holding,
    max(baskets) filter (where side = sides.related and product_id = $related_product_id) as related,
    max(baskets) filter (where side = sides.total and product_id = 'any product') as total
from intermediate.int_baskets__windowed
cross join sides
where feature_at = $day
"""

# A pair of a kind that is the same seen from either product stands there once.
STRONGER = """
with others as (

    select
        pairs_micro,
        pairs,
        case when product_id = $product_id then related_product_id else product_id end as related_product_id
    from intermediate.int_product_pairs__windowed
    where
        feature_at = $day
        and relation = $relation
        and (product_id = $product_id or (related_product_id = $product_id and relation <> 'view_order'))

),

own as (

    select pairs_micro, pairs, related_product_id from others
    where related_product_id = $related_product_id

)

select
    count(*) as products,
    count(*) filter (
        where (-others.pairs_micro, -others.pairs, others.related_product_id)
        < (-own.pairs_micro, -own.pairs, own.related_product_id)
    ) as stronger
from others
cross join own
"""


def baskets(question: Question) -> Found:
    """Return the sessions or orders of the window that hold both products: two facts each, one a product."""
    relation = question.key["relation"]
    if relation == "order_order":
        rows = question.rows(ORDERS)
    else:
        rows = question.rows(SESSIONS, side="viewed" if relation == "view_view" else "ordered")
    inside = [row for row in rows if question.first <= row["event_date"] < question.day]
    before = {row["basket"] for row in rows if row["event_date"] < question.first}
    after = {row["basket"] for row in rows if row["event_date"] >= question.day}
    return Found([fact_of(question, row) for row in inside], outside(question, len(before), len(after)))


def fact_of(question: Question, row: dict[str, Any]) -> Fact:
    """Return a product in a basket as a fact."""
    why_not = None
    if not row["is_counted"]:
        if row["taken_back_date"]:
            why_not = f"taken back on {row['taken_back_date']}: the session was another one, or a bot's"
        else:
            why_not = f"not known yet: together since {row['known_date']}"
    if "event_id" in row:
        record = ("event", row["source"], row["event_id"])
    else:
        record = ("line", row["order_line_id"], row["known_at"])
    return Fact(
        kind=row["kind"],
        event_at=row["event_at"],
        known_at=row["known_at"],
        record=record,
        product_id=row["product_id"],
        why_not=why_not,
        detail=row["basket"],
        numbers={"basket": row["basket"], "basket_date": row["event_date"]},
    )


def ages(question: Question, found: Found) -> dict[str, int]:
    """Return the age in days of each session or order that counted."""
    return {fact.numbers["basket"]: (question.day - fact.numbers["basket_date"]).days for fact in found.counted}


def noun(question: Question) -> str:
    """Return what holds the products together."""
    return "orders" if question.key["relation"] == "order_order" else "sessions"


def pairs(question: Question) -> Answer:
    """pairs."""
    found = baskets(question)
    return Answer(found.facts, found.outside, len(ages(question, found)), f"number of {noun(question)} that hold both")


def decayed(question: Question, found: Found) -> float:
    """Return the number of baskets, each halved every so many days."""
    return sum(decayed_micro(question, age) for age in ages(question, found).values()) / 1_000_000


def pairs_decayed(question: Question) -> Answer:
    """pairs_decayed."""
    found = baskets(question)
    half_life = question.variables["affinity_half_life_days"]
    how = f"{noun(question)} that hold both, each halved every {half_life} days"
    return Answer(found.facts, found.outside, decayed(question, found), how)


def cosine(question: Question) -> Answer:
    """cosine."""
    found, counts = baskets(question), counted_baskets(question)
    both, holding, related = len(ages(question, found)), *list(counts.values())[:2]
    value = both / sqrt(holding * related) if holding and related else None
    return Answer(found.facts, found.outside, value, "both / root of (one * other)", {"both": both} | counts)


def lift(question: Question) -> Answer:
    """lift."""
    found, counts = baskets(question), counted_baskets(question)
    both, (holding, related, total) = len(ages(question, found)), counts.values()
    value = both * total / (holding * related) if holding and related else None
    return Answer(found.facts, found.outside, value, "both * all / (one * other)", {"both": both} | counts)


def counted_baskets(question: Question) -> dict[str, int]:
    """Return how many sessions or orders of the window hold one product, the other, and any."""
    counts, what = question.row(BASKETS), noun(question)
    one, other = question.key["product_id"], question.key["related_product_id"]
    names = (f"{what} with {one}", f"{what} with {other}", f"all {what}")
    return dict(zip(names, (number or 0 for number in counts.values()), strict=True))


def rank(question: Question) -> Answer:
    """rank."""
    found, peers = baskets(question), question.row(STRONGER)
    inputs = {
        "pairs_decayed": decayed(question, found),
        "ranked among": peers["products"],
        "stronger ones": peers["stronger"],
    }
    how = "1 + products that go with it more strongly, by pairs_decayed, then pairs, then id"
    return Answer(found.facts, found.outside, peers["stronger"] + 1, how, inputs)


FEATURES: dict[str, Callable[[Question], Answer]] = {
    "pairs": pairs,
    "pairs_decayed": pairs_decayed,
    "cosine": cosine,
    "lift": lift,
    "rank": rank,
}
"""What explains each feature of product_pairs."""
