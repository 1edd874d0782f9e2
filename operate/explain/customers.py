"""What a customer's features are made of."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from operate.explain import emails, events, histories, orders
from operate.explain.facts import (
    Answer,
    Fact,
    Found,
    Question,
    by_time,
    days_since,
    decayed_micro,
    of_kind,
    ratio,
    total,
)

DESCRIBED = """
select product_id, listed_date, category, brand, price_rank
from intermediate.int_products__ranked
where listed_date >= $first and listed_date < $day and list_contains($products, product_id)
"""
TOUCHES = ["view", "cart", "cart_removal"]


def views(question: Question) -> Answer:
    """views_{w}."""
    return counted_events(question, "view")


def carts(question: Question) -> Answer:
    """carts_{w}."""
    return counted_events(question, "cart")


def counted_events(question: Question, kind: str) -> Answer:
    """Return how many events of a kind counted; about the product where the key names one."""
    found = events.of_customer(question, [kind], question.key.get("product_id"))
    return Answer(found.facts, found.outside, len(found.counted), f"number of {kind}s that counted")


def sessions(question: Question) -> Answer:
    """sessions_{w}."""
    found = events.sessions(question)
    gap = question.variables["session_gap_minutes"]
    how = f"number of sessions that began: events with no more than {gap} minutes between"
    return Answer(found.facts, found.outside, len(found.counted), how)


def app_share(question: Question) -> Answer:
    """app_share_30d."""
    found = events.of_customer(question)
    part = [fact for fact in found.counted if fact.numbers["source"] == "mobile"]
    return share_of_events(found, part, "events of the app / events")


def night_share(question: Question) -> Answer:
    """night_share_30d."""
    found = events.of_customer(question)
    part = [fact for fact in found.counted if not 6 <= fact.event_at.hour <= 21]
    return share_of_events(found, part, "events from 22:00 to 06:00 UTC / events")


def share_of_events(found: Found, part: list[Fact], how: str) -> Answer:
    """Return the share of some events among all that counted."""
    inputs = dict(zip(how.split(" / "), (len(part), len(found.counted)), strict=True))
    return Answer(found.facts, found.outside, ratio(len(part), len(found.counted)), how, inputs)


def cart_abandon_rate(question: Question) -> Answer:
    """cart_abandon_rate_30d."""
    found = events.of_customer(question, ["cart", "order"])
    days = {fact.event_date for fact in of_kind(found.counted, "cart")}
    ordered = {fact.event_date for fact in of_kind(found.counted, "order")}
    inputs = {"days with a cart": len(days), "of those without an order": len(days - ordered)}
    how = "days with a cart and no order completed / days with a cart"
    return Answer(found.facts, found.outside, ratio(len(days - ordered), len(days)), how, inputs)


def standing_orders(question: Question) -> Answer:
    """orders_{w}, orders_lifetime."""
    found = orders.only_standing(orders.of_customer(question, question.key.get("product_id")))
    return Answer(found.facts, found.outside, len(orders.standing(found.facts)), "number of orders that stood")


def revenue(question: Question) -> Answer:
    """revenue_{w}, revenue_lifetime."""
    found = orders.of_customer(question)
    return Answer(found.facts, found.outside, total(found.counted, "net_minor") / 100, "sum of the amounts")


def average_order_value(question: Question) -> Answer:
    """average_order_value_90d."""
    found = orders.only_standing(orders.of_customer(question))
    number, minor = len(orders.standing(found.facts)), total(found.counted, "net_minor")
    inputs = {"amounts": minor / 100, "orders": number}
    return Answer(
        found.facts, found.outside, minor / 100 / number if number else None, "sum of the amounts / orders", inputs
    )


def recency_days(question: Question) -> Answer:
    """recency_days, days_since_order."""
    found = orders.only_standing(orders.of_customer(question, question.key.get("product_id")))
    return Answer(found.facts, found.outside, days_since(question, found.counted), "days since the last order")


def days_between_orders_avg(question: Question) -> Answer:
    """days_between_orders_avg."""
    found = orders.only_standing(orders.of_customer(question))
    days = [fact.event_date for fact in found.counted]
    number = len(orders.standing(found.facts))
    value = (max(days) - min(days)).days / (number - 1) if number > 1 else None
    inputs = {"orders": number}
    if days:
        inputs |= {"first order": min(days), "last order": max(days)}
    return Answer(found.facts, found.outside, value, "days from the first order to the last / (orders - 1)", inputs)


def return_rate(question: Question) -> Answer:
    """return_rate_90d."""
    found = orders.of_customer(question)
    return share_of_orders(found, "returned_units", "units", "units that came back / units ordered")


def discount_share(question: Question) -> Answer:
    """discount_share_90d."""
    found = orders.of_customer(question)
    return share_of_orders(found, "discount_minor", "gross_minor", "discounts / gross amounts")


def share_of_orders(found: Found, part: str, whole: str, how: str) -> Answer:
    """Return one sum over the changes of orders as a share of another."""
    sums = [total(found.counted, name) for name in (part, whole)]
    units = 100 if part.endswith("_minor") else 1
    inputs = dict(zip(how.split(" / "), (number / units for number in sums), strict=True))
    return Answer(found.facts, found.outside, ratio(*sums), how, inputs)


def email_open_rate(question: Question) -> Answer:
    """email_open_rate_90d."""
    return email_rate(question, "opened")


def email_click_rate(question: Question) -> Answer:
    """email_click_rate_90d."""
    return email_rate(question, "clicked")


def email_rate(question: Question, kind: str) -> Answer:
    """Return the share of a kind of response among e-mails received."""
    found = emails.of_customer(question, ["received", kind])
    inputs = {name: len(of_kind(found.counted, name)) for name in (kind, "received")}
    return Answer(found.facts, found.outside, ratio(*inputs.values()), f"{kind} / received", inputs)


@dataclass(frozen=True)
class Taste:
    """What a customer had to do with in the window: facts, those that count by product, and each product's description.

    `category` and `brand` are those of the last day on which anything happened and the feed said one.
    """

    found: Found
    by_product: dict[str, list[Fact]]
    category: dict[str, str]
    brand: dict[str, str]
    question: Question

    def liking(self, products: Iterable[str]) -> int:
        """Return the weight of what happened with products, in millionths, halved every so many days."""
        weights = self.question.variables["affinity_weights"]
        seen, sum_of_weights = set(), 0
        for product in products:
            for fact in self.by_product[product]:
                # An order counts once a product, however many changes it went through.
                once = (product, fact.numbers["order_id"]) if "order_id" in fact.numbers else None
                if once is None or once not in seen:
                    seen.add(once)
                    weight = weights.get("order" if once else fact.kind, 0)
                    age = (self.question.day - fact.event_date).days
                    sum_of_weights += weight * decayed_micro(self.question, age)
        return sum_of_weights

    def views(self, products: Iterable[str]) -> int:
        """Return how often products were viewed."""
        return sum(len(of_kind(self.by_product[product], "view")) for product in products)

    def orders(self, products: Iterable[str]) -> int:
        """Return the orders that hold products, one for each product."""
        return sum(len(orders.standing(self.ordered(product))) for product in products)

    def ordered(self, product: str) -> list[Fact]:
        """Return the changes of order lines of a product."""
        return [fact for fact in self.by_product[product] if "order_id" in fact.numbers]

    def products(self, by: dict[str, str]) -> dict[str, list[str]]:
        """Return the products of each category or brand, by name."""
        groups = defaultdict(list)
        for product, name in sorted(by.items()):
            groups[name].append(product)
        return dict(sorted(groups.items()))


def taste(question: Question) -> Taste:
    """Return what the customer viewed, put into the cart, took out of it and ordered in the window."""
    touched = events.of_customer(question, TOUCHES)
    bought = orders.of_customer(question)
    known = Found([fact for fact in (touched + bought).facts if fact.product_id], (touched + bought).outside)
    products = {fact.product_id for fact in known.facts}
    rows = question.rows(DESCRIBED, products=sorted(products))
    told = {(row["product_id"], row["listed_date"]): row for row in rows}
    # Of an order, each product stands for itself: one may be cancelled and the other not.
    stand = {
        (product, order)
        for product in products
        for order in orders.standing(fact for fact in bought.facts if fact.product_id == product)
    }
    facts = []
    for fact in known.facts:
        row = told.get((fact.product_id, fact.event_date), {})
        fact = replace(fact, numbers=fact.numbers | {name: row.get(name) for name in ("category", "price_rank")})
        if fact.counted and "order_id" in fact.numbers and (fact.product_id, fact.numbers["order_id"]) not in stand:
            fact = replace(fact, why_not="cancelled: nothing of it stands")
        if row.get("category"):
            fact = replace(fact, detail=", ".join(filter(None, [row["category"], fact.detail])))
        facts.append(fact)
    facts = by_time(facts)
    by_product, category, brand = defaultdict(list), {}, {}
    for fact in facts:
        if fact.counted:
            by_product[fact.product_id].append(fact)
            row = told.get((fact.product_id, fact.event_date), {})
            for names, name in ((category, row.get("category")), (brand, row.get("brand"))):
                if name is not None:
                    names[fact.product_id] = name
    return Taste(Found(facts, known.outside), by_product, category, brand, question)


def views_by_category(taste: Taste) -> dict[str, int]:
    """Return the views of each category that was viewed."""
    counts = {name: taste.views(products) for name, products in taste.products(taste.category).items()}
    return {name: number for name, number in counts.items() if number}


def of_views(taste: Taste, value: Any, how: str, inputs: dict[str, Any]) -> Answer:
    """Return an answer that depends on views alone: what else the customer did is left out."""
    facts = of_kind(taste.found.facts, "view")
    return Answer(facts, {}, value, how, inputs)


def categories(question: Question) -> Answer:
    """categories_90d."""
    known = taste(question)
    counts = views_by_category(known)
    return of_views(known, len(counts), "number of categories viewed", {"views by category": counts})


def category_entropy(question: Question) -> Answer:
    """category_entropy_90d."""
    known = taste(question)
    counts = views_by_category(known)
    whole = sum(counts.values())
    entropy = -sum(n / whole * math.log(n / whole) for n in counts.values()) if whole else None
    return of_views(
        known, entropy, "Shannon entropy, in nats, of the views over categories", {"views by category": counts}
    )


def price_percentile_avg(question: Question) -> Answer:
    """price_percentile_avg_90d."""
    known = taste(question)
    facts = [
        replace(fact, detail=f"{fact.detail}, at {rank / 1e6:.2f} of its prices" if rank is not None else fact.detail)
        for fact, rank in ((fact, fact.numbers["price_rank"]) for fact in of_kind(known.found.facts, "view"))
    ]
    ranks = [fact.numbers["price_rank"] for fact in facts if fact.counted and fact.numbers["price_rank"] is not None]
    value = sum(ranks) / 1_000_000 / len(ranks) if ranks else None
    how = "mean place of the viewed products' prices in their categories on the day of the view, 0 the cheapest"
    return Answer(facts, {}, value, how, {"views with a price": len(ranks)})


def top_category(question: Question) -> Answer:
    """top_category_90d."""
    known = taste(question)
    return strongest(known, known.category, "the category with the strongest affinity")


def top_brand(question: Question) -> Answer:
    """top_brand_90d."""
    known = taste(question)
    return strongest(known, known.brand, "the brand with the strongest affinity")


def strongest(taste: Taste, by: dict[str, str], how: str) -> Answer:
    """Return the category or brand of the strongest affinity, the first by name among equals."""
    likings = {name: taste.liking(products) for name, products in taste.products(by).items()}
    top = min((name for name in likings if likings[name] > 0), key=lambda name: (-likings[name], name), default=None)
    inputs = {"affinity": {name: liking / 1e6 for name, liking in sorted(likings.items(), key=lambda pair: -pair[1])}}
    return Answer(taste.found.facts, taste.found.outside, top, how, inputs)


def tenure_days(question: Question) -> Answer:
    """tenure_days."""
    seen, ordered = histories.customer_seen(question), orders.only_standing(orders.of_customer(question))
    ages = [(question.day - fact.event_date).days for fact in seen.counted + ordered.counted]
    how = "days since the customer first became known, or since the first order, where that is older"
    return Answer(seen.facts + ordered.facts, ordered.outside, max(ages, default=None), how)


def lifecycle_stage(question: Question) -> Answer:
    """lifecycle_stage."""
    found = histories.attribute(question, "lifecycle_stage")
    return Answer(found.facts, {}, histories.held(found), "what the CRM said last before the day began")


def country_code(question: Question) -> Answer:
    """country_code."""
    found = histories.attribute(question, "country_code")
    return Answer(found.facts, {}, histories.held(found), "what CRM or shop said last before the day began")


def loyalty_tier(question: Question) -> Answer:
    """loyalty_tier."""
    cards, bought = histories.attribute(question, "loyalty_card"), orders.of_customer(question)
    has_card = histories.held(cards) == "true" or question.key["customer_id"].startswith("card-")
    amount = total(bought.counted, "net_minor") / 100
    tiers = question.rows("select loyalty_tier, minimum_revenue from seeds.loyalty_tiers order by minimum_revenue")
    reached = [tier["loyalty_tier"] for tier in tiers if amount >= tier["minimum_revenue"]]
    value = (reached[-1] if reached else "bronze") if has_card else "none"
    inputs = {"has a loyalty card": has_card, "revenue_lifetime": amount}
    inputs["tiers from"] = {tier["loyalty_tier"]: tier["minimum_revenue"] for tier in tiers}
    how = "the tier that the sum of the amounts reaches, none without a loyalty card"
    return Answer(cards.facts + bought.facts, bought.outside, value, how, inputs)


def rfm_segment(question: Question) -> Answer:
    """rfm_segment."""
    found = orders.of_customer(question)
    stand = orders.standing(found.facts)
    last = days_since(question, [fact for changes in stand.values() for fact in changes])
    amount = total(found.counted, "net_minor") / 100
    limits = question.variables
    scores = {
        "recency_score": 1 if last is None else 1 + sum(last <= limit for limit in limits["rfm_recency_days"]),
        "frequency_score": 1 + sum(len(stand) >= limit for limit in limits["rfm_orders"]),
        "monetary_score": 1 + sum(amount >= limit for limit in limits["rfm_revenue"]),
    }
    segment = question.row(
        "select rfm_segment from seeds.rfm_segments where recency_score = $recency_score "
        "and frequency_score = $frequency_score and monetary_score = $monetary_score",
        **scores,
    )
    value = (segment and segment["rfm_segment"]) if stand else "prospect"
    inputs = {"recency_days": last, "orders_lifetime": len(stand), "revenue_lifetime": amount} | scores
    how = "the segment of the scores in seeds/rfm_segments.csv, prospect before the first order"
    return Answer(found.facts, found.outside, value, how, inputs)


FEATURES: dict[str, Callable[[Question], Answer]] = {
    "views": views,
    "carts": carts,
    "sessions": sessions,
    "orders": standing_orders,
    "revenue": revenue,
    "recency_days": recency_days,
    "tenure_days": tenure_days,
    "average_order_value": average_order_value,
    "days_between_orders_avg": days_between_orders_avg,
    "return_rate": return_rate,
    "cart_abandon_rate": cart_abandon_rate,
    "discount_share": discount_share,
    "categories": categories,
    "category_entropy": category_entropy,
    "top_category": top_category,
    "top_brand": top_brand,
    "price_percentile_avg": price_percentile_avg,
    "email_open_rate": email_open_rate,
    "email_click_rate": email_click_rate,
    "app_share": app_share,
    "night_share": night_share,
    "rfm_segment": rfm_segment,
    "lifecycle_stage": lifecycle_stage,
    "loyalty_tier": loyalty_tier,
    "country_code": country_code,
}
"""What explains each feature of customer_features, by its name without the window."""


def days_since_view(question: Question) -> Answer:
    """days_since_view."""
    return since_event(question, "view")


def days_since_cart(question: Question) -> Answer:
    """days_since_cart."""
    return since_event(question, "cart")


def since_event(question: Question, kind: str) -> Answer:
    """Return the days since the last event of a kind about the product."""
    found = events.of_customer(question, [kind], question.key["product_id"])
    return Answer(found.facts, found.outside, days_since(question, found.counted), f"days since the last {kind}")


def in_cart(question: Question) -> Answer:
    """in_cart."""
    product = question.key["product_id"]
    touched = events.of_customer(question, ["cart", "cart_removal"], product)
    bought = orders.only_standing(orders.of_customer(question, product))
    put, taken = (of_kind(touched.counted, kind) for kind in ("cart", "cart_removal"))
    days = {
        "days_since_cart": days_since(question, put),
        "days since it was taken out": days_since(question, taken),
        "days_since_order": days_since(question, bought.counted),
    }
    since_cart, since_removal, since_order = days.values()
    last_day = max((fact.event_date for fact in put), default=None)
    left = sum(fact.event_date == last_day for fact in put) - sum(fact.event_date == last_day for fact in taken)
    value = (
        since_cart is not None
        and left > 0
        and (since_removal is None or since_removal >= since_cart)
        and (since_order is None or since_order > since_cart)
    )
    found = touched + bought
    how = "put into the cart, and neither taken out as often on that day or since, nor ordered on that day or since"
    return Answer(
        by_time(found.facts), found.outside, value, how, days | {"left in the cart on the last such day": left}
    )


WITH_PRODUCT: dict[str, Callable[[Question], Answer]] = {
    "views": views,
    "carts": carts,
    "orders": standing_orders,
    "days_since_view": days_since_view,
    "days_since_cart": days_since_cart,
    "days_since_order": recency_days,
    "in_cart": in_cart,
}
"""What explains each feature of customer_product_features."""


def of_category(question: Question, value: Callable[[Taste, list[str]], tuple[Any, dict]], how: str) -> Answer:
    """Return what a customer's category comes to: facts of its products, those of others left out."""
    known = taste(question)
    category = question.key["category"]
    products = [product for product, name in known.category.items() if name == category]
    facts = [
        fact
        for fact in known.found.facts
        if fact.product_id in products or (not fact.counted and fact.numbers["category"] == category)
    ]
    result, inputs = value(known, products)
    inputs["products of the category"] = len(products)
    others = {"with products of other categories": len(known.found.facts) - len(facts)}
    return Answer(facts, others, result, how, inputs)


def view_share(question: Question) -> Answer:
    """view_share_90d."""

    def value(known: Taste, products: list[str]) -> tuple[float | None, dict]:
        part, whole = known.views(products), known.views(known.category)
        return ratio(part, whole), {"views of the category": part, "views of any category": whole}

    return of_category(question, value, "views of the category / views of any category")


def order_share(question: Question) -> Answer:
    """order_share_90d."""

    def value(known: Taste, products: list[str]) -> tuple[float | None, dict]:
        part, whole = known.orders(products), known.orders(known.category)
        return ratio(part, whole), {"ordered products of the category": part, "ordered products": whole}

    return of_category(question, value, "ordered products of the category / ordered products of any category")


def days_since_last(question: Question) -> Answer:
    """days_since_last."""

    def value(known: Taste, products: list[str]) -> tuple[int | None, dict]:
        return days_since(question, [fact for product in products for fact in known.by_product[product]]), {}

    return of_category(question, value, "days since anything last happened with a product of the category")


def affinity_decayed(question: Question) -> Answer:
    """affinity_decayed."""

    def value(known: Taste, products: list[str]) -> tuple[float, dict]:
        names = ("affinity_weights", "affinity_half_life_days")
        return known.liking(products) / 1_000_000, {name: question.variables[name] for name in names}

    return of_category(question, value, "sum of the weights of what happened, halved every affinity_half_life_days")


WITH_CATEGORY: dict[str, Callable[[Question], Answer]] = {
    "view_share": view_share,
    "order_share": order_share,
    "days_since_last": days_since_last,
    "affinity_decayed": affinity_decayed,
}
"""What explains each feature of customer_category_features."""
