"""Order lines and what became of them: what was known, and whose they were known to be, when the day began."""

from collections import defaultdict
from collections.abc import Iterable

from operate.explain.facts import Fact, Found, Question, in_window, only, total

OF_A_CUSTOMER = """
with owners as (

    select * from intermediate.int_orders__attributed
    where customer_id = $customer_id

),

owned as (

    select
        changes.*,
        greatest(changes.known_at, owners.attributed_at) as attributed_at,
        owners.unattributed_at
    from intermediate.int_order_changes__valued as changes
    inner join owners on changes.order_id = owners.order_id
    where cast($product as varchar) is null or changes.product_id = $product

)

select
    owned.order_line_id,
    owned.order_id,
    owned.product_id,
    owned.sales_channel,
    owned.ordered_at,
    owned.attributed_at as known_at,
    owned.known_at as told_at,
    owned.change,
    owned.units,
    owned.returned_units,
    owned.gross_minor,
    owned.discount_minor,
    owned.refund_minor,
    $customer_id as buyer,
    case
        when cast(owned.known_at as date) >= $day
            then 'not known yet: told ' || strftime(owned.known_at, '%Y-%m-%d %H:%M')
        when cast(owned.attributed_at as date) >= cast(owned.unattributed_at as date)
            then 'someone else''s: before it was known'
        when cast(owned.attributed_at as date) >= $day
            then 'not known yet: whose it is was known ' || strftime(owned.attributed_at, '%Y-%m-%d %H:%M')
        when cast(owned.unattributed_at as date) < $day
            then 'someone else''s: since ' || strftime(owned.unattributed_at, '%Y-%m-%d %H:%M')
    end as why_not
from owned
order by owned.ordered_at, owned.order_line_id, owned.known_at, owned.attributed_at, owned.change
"""

OF_A_PRODUCT = """
select
    changes.order_line_id,
    changes.order_id,
    changes.product_id,
    changes.sales_channel,
    changes.ordered_at,
    changes.known_at,
    changes.known_at as told_at,
    changes.change,
    changes.units,
    changes.returned_units,
    changes.gross_minor,
    changes.discount_minor,
    changes.refund_minor,
    coalesce(orders.account_id, orders.email_hash, orders.loyalty_id) as buyer,
    case
        when cast(changes.known_at as date) >= $day
            then 'not known yet: told ' || strftime(changes.known_at, '%Y-%m-%d %H:%M')
    end as why_not
from intermediate.int_order_changes__valued as changes
inner join intermediate.int_order_owners__versioned as orders on changes.order_id = orders.order_id
where orders.is_first_owner and changes.product_id = $product_id
order by changes.ordered_at, changes.order_line_id, changes.known_at, changes.change
"""


def of_customer(question: Question, product: str | None = None) -> Found:
    """Return what became known of the customer's order lines, of one product or any."""
    return in_window(question, [fact_of(row) for row in question.rows(OF_A_CUSTOMER, product=product)])


def of_product(question: Question) -> Found:
    """Return what became known of order lines with the product."""
    return in_window(question, [fact_of(row) for row in question.rows(OF_A_PRODUCT)])


def fact_of(row: dict) -> Fact:
    """Return a change of an order line as a fact."""
    parts = [row[name] for name in ("gross_minor", "discount_minor", "refund_minor")]
    has_rate = None not in parts
    record = {
        "refunded": ("refund", row["order_line_id"], row["told_at"]),
        "cancelled": ("order", row["order_id"]),
        "reinstated": ("order", row["order_id"]),
    }.get(row["change"], ("line", row["order_line_id"], row["told_at"]))
    return Fact(
        kind=row["change"],
        event_at=row["ordered_at"],
        known_at=row["known_at"],
        record=record,
        product_id=row["product_id"],
        why_not=row["why_not"],
        detail=row["order_id"] + ("" if has_rate else ", no exchange rate: counts as nothing"),
        numbers={name: row[name] for name in ("order_id", "sales_channel", "buyer", "units", "returned_units")}
        | {
            "gross_minor": row["gross_minor"],
            "discount_minor": row["discount_minor"],
            "net_minor": parts[0] - parts[1] - parts[2] if has_rate else None,
        },
    )


def standing(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Return, by order, the facts that counted of orders of which anything stands: units that were not taken back."""
    orders = defaultdict(list)
    for fact in facts:
        if fact.counted:
            orders[fact.numbers["order_id"]].append(fact)
    return {order: changes for order, changes in orders.items() if total(changes, "units") > 0}


def only_standing(found: Found) -> Found:
    """Return the same, with orders that were cancelled as such that do not count."""
    stand = standing(found.facts)
    return only(found, lambda fact: fact.numbers["order_id"] in stand, "cancelled: nothing of the order stands")
