"""What is compared: sums over trailing windows, by customer, by product and by both.

Each contender is a script, `windows_<name>.py`, in an environment that may hold nothing but its library.
"""

DAYS = [1, 7, 30, 90]

CUSTOMERS = {"views": DAYS, "carts": DAYS, "sessions": DAYS}
CUSTOMER_ORDERS = {"orders": DAYS, "revenue_minor": DAYS}
CUSTOMER_PRODUCTS = {"views": DAYS, "carts": DAYS, "orders": DAYS}
PRODUCTS = {
    "views": DAYS,
    "carts": DAYS,
    "orders": DAYS,
    "revenue_minor": DAYS,
    "clicks": [30],
    "impressions": [30],
}
"""A measure to its windows in days: what every contender makes. DuckDB by hand makes all columns of the models."""

SINCE = {"views": "days_since_view", "carts": "days_since_cart", "orders": "days_since_order"}
"""Of a customer and a product also: days since the last."""

TABLES = {
    "customers": ("int_customer_behaviour__windowed", CUSTOMERS),
    "customer_orders": ("int_customer_orders__windowed", CUSTOMER_ORDERS),
    "customer_products": ("int_customer_products__windowed", CUSTOMER_PRODUCTS),
    "products": ("int_product_days__windowed", PRODUCTS),
}
"""A contender's table to the model that makes the same, and what is in it."""


def columns(measures: dict[str, list[int]]) -> list[tuple[str, int, str]]:
    """Return measure, window in days and column of each sum."""
    return [(measure, days, f"{measure}_{days}d") for measure, windows in measures.items() for days in windows]


INPUTS = {
    "customer_spine": "select customer_id, feature_date from {intermediate}.int_feature_spine__customers",
    "product_spine": "select product_id, feature_date from {intermediate}.int_feature_spine__products",
    "events": """
        select customer_id, product_id, event_kind, event_date, known_date, change
        from {intermediate}.int_events__attributed where event_kind in ('view', 'cart')""",
    "sessions": "select customer_id, event_date, known_date, sessions from {intermediate}.int_customer_sessions__known",
    "customer_orders": """
        select customer_id, event_date, known_date, orders, gross_minor - discount_minor - refund_minor as revenue_minor
        from {intermediate}.int_customer_orders__known""",
    # What an order adds to a customer's product, once an order: the first day on which it became known.
    "customer_product_orders": """
        select customer_id, product_id, event_date, min(known_date) as known_date, 1 as orders
        from {intermediate}.int_order_changes__attributed group by customer_id, product_id, order_id, event_date""",
    "product_events": """
        select product_id, event_kind, event_date, known_date from {intermediate}.int_events__unioned
        where event_kind in ('view', 'cart', 'click') and product_id is not null
        union all
        select product_id, 'impression', event_date, known_date from {intermediate}.int_impressions__exploded
        where product_id is not null""",
    "product_orders": """
        select product_id, event_date, known_date, orders, gross_minor - discount_minor - refund_minor as revenue_minor
        from {intermediate}.int_product_orders__known""",
}
"""What Polars and pandas are given, as SQL: events with their customers, orders, the days that features are wanted for.

The shop of the benchmark has no bots and cancels no order.
"""
