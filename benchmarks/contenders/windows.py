"""What is compared: all columns of the windows of customers, of their orders, of their products and of products.

Each contender is a script, `windows_<name>.py`, in an environment that may hold nothing but its library.
"""

DAYS = [1, 7, 30, 90]

CUSTOMERS = {"views": DAYS, "carts": DAYS, "sessions": DAYS, "events": [30], "app_events": [30], "night_events": [30]}
CUSTOMER_ORDERS = {
    "orders": DAYS,
    "revenue_minor": DAYS,
    "units": [90],
    "returned_units": [90],
    "gross_minor": [90],
    "discount_minor": [90],
}
CUSTOMER_PRODUCTS = {"views": DAYS, "carts": DAYS, "orders": DAYS}
PRODUCTS = {
    "views": DAYS,
    "carts": DAYS,
    "orders": DAYS,
    "revenue_minor": DAYS,
    "clicks": [30],
    "impressions": [30],
    "web_orders": [30],
    "units": [90],
    "returned_units": [90],
}
"""A measure to its windows in days."""

SINCE = {
    "views": "days_since_view",
    "carts": "days_since_cart",
    "removals": "days_since_removal",
    "orders": "days_since_order",
}
"""Of a customer and a product also: days since the last."""

HALF_LIFE, LIKING = 30, {"views": 1, "carts": 3, "orders": 5}
"""Of a customer's affinity to a product: after how many days it counts half, and what counts how much."""

EMAILS = ["emails_received_90d", "emails_opened_90d", "emails_clicked_90d"]
"""Of a customer: 0, as the shop of the benchmark has no campaigns."""

TABLES = {
    "customers": "int_customer_behaviour__windowed",
    "customer_orders": "int_customer_orders__windowed",
    "customer_products": "int_customer_products__windowed",
    "products": "int_product_days__windowed",
}
"""A contender's table to the model that makes the same."""


def columns(measures: dict[str, list[int]]) -> list[tuple[str, int, str]]:
    """Return measure, window in days and column of each sum."""
    return [(measure, days, f"{measure}_{days}d") for measure, windows in measures.items() for days in windows]


INPUTS = {
    "customer_spine": "select customer_id, feature_date from {intermediate}.int_feature_spine__customers",
    "product_spine": "select product_id, feature_date from {intermediate}.int_feature_spine__products",
    "events": """
        select customer_id, product_id, source, event_kind, event_at, event_date, known_date, change
        from {intermediate}.int_events__attributed""",
    "sessions": "select customer_id, event_date, known_date, sessions from {intermediate}.int_customer_sessions__known",
    "customer_orders": "select * from {intermediate}.int_customer_orders__known",
    "order_changes": """
        select customer_id, product_id, order_id, event_date, known_date, units
        from {intermediate}.int_order_changes__attributed""",
    "product_events": """
        select product_id, device_id, event_kind, event_date, known_date, allows_analytics, is_declared_bot
        from {intermediate}.int_events__unioned""",
    "impressions": """
        select product_id, device_id, event_date, known_date, allows_analytics, is_declared_bot
        from {intermediate}.int_impressions__exploded""",
    "bots": "select device_id from {intermediate}.int_bots__flagged",
    "product_orders": """
        select
            product_id, sales_channel, event_date, known_date, orders, units, returned_units, gross_minor,
            discount_minor, refund_minor
        from {intermediate}.int_product_orders__known""",
    "catalog": "select * from {intermediate}.int_products__ranked",
}
"""What Polars and pandas are given, as SQL: the columns that DuckDB by hand reads of the same tables, and all rows."""
