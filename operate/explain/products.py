"""What a product's features are made of."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean
from typing import Any

from operate.explain import events, histories, orders
from operate.explain.facts import (
    Answer,
    Fact,
    Found,
    Question,
    by_time,
    days_since,
    of_kind,
    only,
    ratio,
    total,
    within,
)

PEERS = """
select product_id, orders_7d, views_7d
from features.product_features
where feature_at = $day and (cast($category as varchar) is null or category = $category)
"""
MEDIAN = """
select median(price) as price, count(price) as products
from intermediate.int_product_prices__daily
where feature_at = $day and category is not distinct from $category
"""
MONTH = 30
"""Days of feeds that a change of price and a share of days in stock look at."""


def views(question: Question) -> Answer:
    """views_{w}."""
    return counted_events(question, "view")


def carts(question: Question) -> Answer:
    """carts_{w}."""
    return counted_events(question, "cart")


def counted_events(question: Question, kind: str) -> Answer:
    """Return how many events of a kind counted."""
    found = events.of_product(question, [kind])
    return Answer(found.facts, found.outside, len(found.counted), f"number of {kind}s that counted")


def standing_orders(question: Question) -> Answer:
    """orders_{w}."""
    found = orders.only_standing(orders.of_product(question))
    return Answer(found.facts, found.outside, len(orders.standing(found.facts)), "number of orders that stood")


def is_cold_start(question: Question) -> Answer:
    """is_cold_start."""
    answer = standing_orders(question)
    inputs = {"orders_90d": answer.value}
    return replace(answer, value=answer.value == 0, how="no order that stood in the window", inputs=inputs)


def revenue(question: Question) -> Answer:
    """revenue_{w}."""
    found = orders.of_product(question)
    return Answer(found.facts, found.outside, total(found.counted, "net_minor") / 100, "sum of the amounts")


def orders_of_buyers(found: Found) -> dict[str, set[str]]:
    """Return the orders of each buyer that the source names."""
    orders_of = defaultdict(set)
    for fact in found.counted:
        if fact.numbers["buyer"] is not None:
            orders_of[fact.numbers["buyer"]].add(fact.numbers["order_id"])
    return orders_of


def buyers(question: Question) -> Answer:
    """buyers_{w}."""
    found = orders.only_standing(orders.of_product(question))
    named = only(found, lambda fact: fact.numbers["buyer"], "the source names no buyer")
    return Answer(
        named.facts, found.outside, len(orders_of_buyers(found)), "number of different buyers of standing orders"
    )


def repurchase_rate(question: Question) -> Answer:
    """repurchase_rate_90d."""
    answer = buyers(question)
    orders_of = orders_of_buyers(Found(answer.facts))
    again = sum(len(several) > 1 for several in orders_of.values())
    inputs = {"buyers with two orders or more": again, "buyers": len(orders_of)}
    return replace(answer, value=ratio(again, len(orders_of)), how=" / ".join(inputs), inputs=inputs)


def return_rate(question: Question) -> Answer:
    """return_rate_90d."""
    found = orders.of_product(question)
    inputs = {
        "units that came back": total(found.counted, "returned_units"),
        "units ordered": total(found.counted, "units"),
    }
    return Answer(found.facts, found.outside, ratio(*inputs.values()), " / ".join(inputs), inputs)


def view_to_cart_rate(question: Question) -> Answer:
    """view_to_cart_rate_30d."""
    return rate_of_events(question, "cart", "view")


def click_rate(question: Question) -> Answer:
    """click_rate_30d."""
    return rate_of_events(question, "click", "impression")


def rate_of_events(question: Question, part: str, whole: str) -> Answer:
    """Return how many events of one kind there were for one of another."""
    found = events.of_product(question, [part, whole])
    inputs = {f"{kind}s": len(of_kind(found.counted, kind)) for kind in (part, whole)}
    return Answer(found.facts, found.outside, ratio(*inputs.values()), " / ".join(inputs), inputs)


def cart_to_order_rate(question: Question) -> Answer:
    """cart_to_order_rate_30d."""
    carts, bought = events.of_product(question, ["cart"]), orders.only_standing(orders.of_product(question))
    other = "not of the web shop: it has no cart here"
    bought = only(bought, lambda fact: fact.numbers["sales_channel"] == "web_shop", other)
    inputs = {"orders of the web shop": len(orders.standing(bought.facts)), "carts": len(carts.counted)}
    value = ratio(min(inputs.values()), len(carts.counted))
    return in_time(carts + bought, value, "orders of the web shop, at most as many as carts / carts", inputs)


def in_time(found: Found, value: Any, how: str, inputs: dict[str, Any]) -> Answer:
    """Return an answer whose facts are of several families, in the order of time."""
    return Answer(by_time(found.facts), found.outside, value, how, inputs)


def trend_ratio(question: Question) -> Answer:
    """trend_ratio_7d_30d."""
    found = events.of_product(question, ["view"])
    inputs = {"views of 7 days": len(within(found.counted, question, 7)), "views of 30 days": len(found.counted)}
    value = ratio(inputs["views of 7 days"] / 7, inputs["views of 30 days"] / 30)
    return Answer(found.facts, found.outside, value, "views of 7 days a day / views of 30 days a day", inputs)


def age_days(question: Question) -> Answer:
    """age_days."""
    found = histories.product_seen(question)
    return Answer(found.facts, {}, days_since(question, found.counted), "days since the product first became known")


def last_feed(found: Found) -> Fact | None:
    """Return the last feed's row; None when it does not list the product."""
    return found.counted[-1] if found.counted else None


def of_last_feed(question: Question, name: str, how: str) -> Answer:
    """Return what the last feed before the day says."""
    found = histories.feeds(question, 1)
    last = last_feed(found)
    return Answer(found.facts, found.outside, last and last.numbers[name], how)


def category(question: Question) -> Answer:
    """category."""
    return of_last_feed(question, "category", "what the last feed before the day says")


def price(question: Question) -> Answer:
    """price."""
    currency = question.variables["reporting_currency"]
    return of_last_feed(question, "price", f"what the last feed before the day says, in {currency}")


def price_vs_category(question: Question) -> Answer:
    """price_vs_category."""
    found = histories.feeds(question, 1)
    last = last_feed(found)
    how = "price / median price of the category in the same feed"
    if last is None:
        return Answer(found.facts, found.outside, None, how)
    median = question.row(MEDIAN, category=last.numbers["category"])
    inputs = {"price": last.numbers["price"], "median price": median["price"], "products": median["products"]}
    has_price = inputs["price"] is not None and inputs["median price"] is not None
    value = ratio(inputs["price"], inputs["median price"]) if has_price else None
    return Answer(found.facts, found.outside, value, how, inputs)


def price_change(question: Question) -> Answer:
    """price_change_30d."""
    found = histories.feeds(question, MONTH)
    last = last_feed(found)
    price = last and last.numbers["price"]
    first = next((fact.numbers["price"] for fact in found.counted if fact.numbers["price"] is not None), None)
    value = None if price is None else ratio(price - first, first)
    inputs = {"first price": first, "last price": price} if last else {}
    return Answer(found.facts, found.outside, value, "(last price - first price) / first price", inputs)


def in_stock_ratio(question: Question) -> Answer:
    """in_stock_ratio_30d."""
    found = histories.feeds(question, MONTH)
    told = [fact.numbers["is_in_stock"] for fact in found.counted if fact.numbers["is_in_stock"] is not None]
    inputs = {"feeds with it in stock": sum(told), "feeds that say": len(told)}
    return Answer(found.facts, found.outside, fmean(told) if told else None, " / ".join(inputs), inputs)


def popularity_rank(question: Question) -> Answer:
    """popularity_rank_7d."""
    return rank(question, None, "among all products of the day")


def category_rank(question: Question) -> Answer:
    """category_rank_7d."""
    name = question.row(
        "select category from features.product_features where product_id = $product_id and feature_at = $day"
    )
    if name is None or name["category"] is None:
        return rank(question, None, "among the products without a category", "and category is null")
    return rank(question, name["category"], f"among the products of {name['category']}")


def rank(question: Question, category: str | None, among: str, condition: str = "") -> Answer:
    """Return the place by orders, then views, of seven days; equals share one."""
    seen, bought = events.of_product(question, ["view"]), orders.only_standing(orders.of_product(question))
    own = (len(orders.standing(bought.facts)), len(seen.counted))
    peers = question.rows(f"{PEERS} {condition}", category=category)
    better = sum((peer["orders_7d"], peer["views_7d"]) > own for peer in peers)
    inputs = {"orders_7d": own[0], "views_7d": own[1], f"ranked {among}": len(peers), "better ones": better}
    return in_time(seen + bought, better + 1, "1 + products with more orders, or as many orders and more views", inputs)


FEATURES: dict[str, Callable[[Question], Answer]] = {
    "views": views,
    "carts": carts,
    "orders": standing_orders,
    "buyers": buyers,
    "revenue": revenue,
    "view_to_cart_rate": view_to_cart_rate,
    "cart_to_order_rate": cart_to_order_rate,
    "click_rate": click_rate,
    "return_rate": return_rate,
    "repurchase_rate": repurchase_rate,
    "trend_ratio": trend_ratio,
    "age_days": age_days,
    "category": category,
    "price": price,
    "price_vs_category": price_vs_category,
    "price_change": price_change,
    "in_stock_ratio": in_stock_ratio,
    "popularity_rank": popularity_rank,
    "category_rank": category_rank,
    "is_cold_start": is_cold_start,
}
"""What explains each feature of product_features, by its name without the window."""
