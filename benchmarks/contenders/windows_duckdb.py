"""The windows as one would write them by hand for DuckDB alone: `windows_duckdb.py WAREHOUSE OUTPUT.duckdb`.

All columns that the models make, from the tables that the models read. No table in between is kept, sums are in
doubles, what came late is summed apart from the rest.
"""

import sys

import duckdb
from windows import DAYS, EMAILS, HALF_LIFE, LIKING, PRODUCTS, columns


def sums(**measures: list[int]) -> str:
    """Return the sums over windows of rows that have their age in days."""
    return ", ".join(
        f"coalesce(sum({measure}) filter (where age <= {days}), 0)::bigint as {column}"
        for measure, days, column in columns(measures)
    )


def days_known(tiles: str, by: str, measures: list[str]) -> str:
    """Return what each day came to, from the day that became known until something else did."""
    so_far = ", ".join(f"sum({measure}) over so_far as {measure}" for measure in measures)
    return f"""
        select * exclude ({", ".join(measures)}), {so_far},
            lead(known_date, 1, date '9999-12-31') over so_far as next_date
        from {tiles}
        window so_far as (partition by {by}, event_date order by known_date rows unbounded preceding)"""


def spine_joined(days: str) -> str:
    """Return the FROM clause of days as they were known when a customer's day of features began."""
    return f"""
        from intermediate.int_feature_spine__customers as spine
        join {days} as days on spine.customer_id = days.customer_id
            and days.event_date between spine.feature_date - 90 and spine.feature_date - 1
            and days.known_date < spine.feature_date and days.next_date >= spine.feature_date"""


MEASURES = ["views", "carts", "order_events", "events", "app_events", "night_events", "sessions"]
CUSTOMERS = f"""
create table o.customers as
with tiles as (
    select
        customer_id, event_date, known_date,
        coalesce(sum(change) filter (where event_kind = 'view'), 0)::double as views,
        coalesce(sum(change) filter (where event_kind = 'cart'), 0)::double as carts,
        coalesce(sum(change) filter (where event_kind = 'order'), 0)::double as order_events,
        sum(change)::double as events,
        coalesce(sum(change) filter (where source = 'mobile'), 0)::double as app_events,
        coalesce(sum(change) filter (where hour(event_at) not between 6 and 21), 0)::double as night_events,
        0::double as sessions
    from intermediate.int_events__attributed group by all
    union all
    select customer_id, event_date, known_date, 0, 0, 0, 0, 0, 0, sessions
    from intermediate.int_customer_sessions__known
),
summed as (
    select customer_id, event_date, known_date, {", ".join(f"sum({measure}) as {measure}" for measure in MEASURES)}
    from tiles group by all
),
days as ({days_known("summed", "customer_id", MEASURES)})
select
    customer_id, feature_at,
    {sums(views=DAYS, carts=DAYS, sessions=DAYS, events=[30], app_events=[30], night_events=[30])},
    count(*) filter (where age <= 30 and carts > 0) as cart_days_30d,
    count(*) filter (where age <= 30 and carts > 0 and order_events <= 0) as abandoned_days_30d,
    {", ".join(f"0::bigint as {column}" for column in EMAILS)}
from (select days.*, spine.feature_at, spine.feature_date - days.event_date as age {spine_joined("days")})
group by customer_id, feature_at
"""

CUSTOMER_ORDERS = f"""
create table o.customer_orders as
with orders as (
    select
        spine.customer_id, spine.feature_at, min(known.event_date) as order_date,
        min(spine.feature_date - known.event_date) as age, sum(orders)::double as orders, sum(units)::double as units,
        sum(returned_units)::double as returned_units, sum(gross_minor)::double as gross_minor,
        sum(discount_minor)::double as discount_minor,
        sum(gross_minor - discount_minor - refund_minor)::double as revenue_minor
    from intermediate.int_feature_spine__customers as spine
    join intermediate.int_customer_orders__known as known on spine.customer_id = known.customer_id
        and known.event_date < spine.feature_date and known.known_date < spine.feature_date
    group by spine.customer_id, spine.feature_at, known.order_id
)
select
    customer_id, feature_at,
    {sums(orders=DAYS, revenue_minor=DAYS, units=[90], returned_units=[90], gross_minor=[90], discount_minor=[90])},
    coalesce(sum(revenue_minor) filter (where orders > 0 and age <= 90), 0)::bigint as ordered_minor_90d,
    sum(orders)::bigint as orders_lifetime, sum(revenue_minor)::bigint as revenue_minor_lifetime,
    min(order_date) filter (where orders > 0) as first_order_date,
    max(order_date) filter (where orders > 0) as last_order_date
from orders group by customer_id, feature_at
"""

CUSTOMER_PRODUCTS = f"""
create table o.customer_products as
with ordered as (
    select customer_id, product_id, order_id, event_date, known_date, sum(units) as units
    from intermediate.int_order_changes__attributed where product_id is not null group by all
),
standing as (
    select *, sum(units) over so_far > 0 as stands, coalesce(sum(units) over before > 0, false) as stood
    from ordered
    window so_far as (partition by customer_id, product_id, order_id order by known_date rows unbounded preceding),
        before as (partition by customer_id, product_id, order_id order by known_date
            rows between unbounded preceding and 1 preceding)
),
changes as (
    select
        customer_id, product_id, event_date, known_date,
        coalesce(sum(change) filter (where event_kind = 'view'), 0) as views,
        coalesce(sum(change) filter (where event_kind = 'cart'), 0) as carts,
        coalesce(sum(change) filter (where event_kind = 'cart_removal'), 0) as removals,
        0 as orders
    from intermediate.int_events__attributed
    where product_id is not null and event_kind in ('view', 'cart', 'cart_removal') group by all
    union all
    select customer_id, product_id, event_date, known_date, 0, 0, 0, stands::integer - stood::integer from standing
),
summed as (
    select
        customer_id, product_id, event_date, known_date, sum(views)::double as views, sum(carts)::double as carts,
        sum(removals)::double as removals, sum(orders)::double as orders
    from changes group by all
),
known as ({days_known("summed", "customer_id, product_id", ["views", "carts", "removals", "orders"])}),
days as (
    select known.*, category, brand, price_rank
    from known
    left join intermediate.int_products__ranked as feed
        on known.product_id = feed.product_id and known.event_date = feed.listed_date
    where views > 0 or carts > 0 or removals > 0 or orders > 0
)
select
    customer_id, product_id, feature_at, {sums(views=DAYS, carts=DAYS, orders=DAYS)},
    min(age) filter (where views > 0) as days_since_view,
    min(age) filter (where carts > 0) as days_since_cart,
    min(age) filter (where removals > 0) as days_since_removal,
    min(age) filter (where orders > 0) as days_since_order,
    min(age) as days_since_last,
    (min_by(carts - removals, age) filter (where carts > 0))::bigint as left_in_cart,
    min_by(category, age) filter (where category is not null) as category,
    min_by(brand, age) filter (where brand is not null) as brand,
    sum(views * price_rank)::bigint as price_rank_sum,
    coalesce(sum(views) filter (where price_rank is not null), 0)::bigint as ranked_views,
    sum(
        ({" + ".join(f"{weight} * {measure}" for measure, weight in LIKING.items())})
        * round(1000000 * power(0.5, age / {HALF_LIFE}))
    )::bigint as affinity_micro
from (select days.*, spine.feature_at, spine.feature_date - days.event_date as age {spine_joined("days")})
group by customer_id, product_id, feature_at
"""

WANTED = columns(PRODUCTS)
LEFT = " ".join(
    f"union all select product_id, event_date + {length + 1}, "
    + ", ".join(f"-{measure}" if days == length else "0" for measure, days, _ in WANTED)
    + f" from tiles where known_date > event_date and known_date < event_date + {length}"
    for length in DAYS
)
PRODUCT_DAYS = f"""
create table o.products as
with tiles as (
    select product_id, event_date, known_date, {
    ", ".join(f"sum({measure})::double as {measure}" for measure in PRODUCTS)
}
    from (
        select
            product_id, event_date, known_date, 0 as orders, 0 as web_orders, 0 as units, 0 as returned_units,
            0 as revenue_minor, (event_kind = 'view')::integer as views, (event_kind = 'cart')::integer as carts,
            (event_kind = 'click')::integer as clicks, 0 as impressions
        from intermediate.int_events__unioned
        where product_id is not null and event_kind in ('view', 'cart', 'click') and allows_analytics
            and not is_declared_bot and device_id not in (select device_id from intermediate.int_bots__flagged)
        union all
        select product_id, event_date, known_date, 0, 0, 0, 0, 0, 0, 0, 0, 1
        from intermediate.int_impressions__exploded
        where product_id is not null and allows_analytics and not is_declared_bot
            and device_id not in (select device_id from intermediate.int_bots__flagged)
        union all
        select product_id, event_date, known_date, orders, if(sales_channel = 'web_shop', orders, 0), units,
            returned_units, gross_minor - discount_minor - refund_minor, 0, 0, 0, 0
        from intermediate.int_product_orders__known
    )
    group by product_id, event_date, known_date
),
late as (
    select product_id, known_date + 1 as feature_date,
        {
    ", ".join(f"if(known_date < event_date + {days}, {measure}, 0) as {column}" for measure, days, column in WANTED)
}
    from tiles where known_date > event_date {LEFT}
),
late_days as (
    select product_id, feature_date, {", ".join(f"sum({column}) as {column}" for _, _, column in WANTED)}
    from late group by all
),
days as (
    select
        spine.product_id, spine.feature_at,
        {", ".join(f"coalesce(tiles.{measure}, 0) as {measure}" for measure in PRODUCTS)},
        {", ".join(f"coalesce(late_days.{column}, 0) as {column}" for _, _, column in WANTED)}
    from intermediate.int_feature_spine__products as spine
    left join tiles on spine.product_id = tiles.product_id and tiles.known_date = tiles.event_date
        and spine.feature_date = tiles.event_date + 1
    left join late_days on spine.product_id = late_days.product_id and spine.feature_date = late_days.feature_date
),
so_far as (
    select product_id, feature_at,
        {", ".join(f"sum({measure}) over so_far as {measure}" for measure in PRODUCTS)},
        {", ".join(f"sum({column}) over so_far as {column}" for _, _, column in WANTED)}
    from days window so_far as (partition by product_id order by feature_at rows unbounded preceding)
)
select product_id, feature_at, {
    ", ".join(
        f"({measure} - lag({measure}, {days}, 0) over product_days + {column})::bigint as {column}"
        for measure, days, column in WANTED
    )
}
from so_far window product_days as (partition by product_id order by feature_at)
"""


def main(warehouse: str, output: str) -> None:
    """Make the four tables in the DuckDB file `output` from the models of a warehouse."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}' as w (read_only); attach '{output}' as o; use w")
        for query in (CUSTOMERS, CUSTOMER_ORDERS, CUSTOMER_PRODUCTS, PRODUCT_DAYS):
            connection.execute(query)


if __name__ == "__main__":
    main(*sys.argv[1:])
