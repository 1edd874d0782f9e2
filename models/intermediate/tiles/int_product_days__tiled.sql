-- One row a product, day of the event and day it became known: sums that any window can add up.
with event_days as (

    select
        product_id,
        cast(event_at as date) as event_date,
        cast(known_at as date) as known_date,
        count_if(event_kind = 'view') as views,
        count_if(event_kind = 'cart') as carts,
        count_if(event_kind = 'click') as clicks
    from {{ ref('int_events__unioned') }}
    where
        product_id is not null
        and not coalesce(is_declared_bot, false)
    group by product_id, cast(event_at as date), cast(known_at as date)

),

impression_days as (

    select
        product_id,
        cast(event_at as date) as event_date,
        cast(known_at as date) as known_date,
        count(*) as impressions
    from {{ ref('int_impressions__exploded') }}
    where
        product_id is not null
        and not is_bot
    group by product_id, cast(event_at as date), cast(known_at as date)

),

order_days as (

    select
        product_id,
        event_date,
        known_date,
        sum(orders) as orders,
        sum(units) as units,
        sum(returned_units) as returned_units,
        sum(gross_minor - discount_minor - refund_minor) as revenue_minor
    from {{ ref('int_product_orders__known') }}
    group by product_id, event_date, known_date

),

measures as (

    select
        product_id,
        event_date,
        known_date,
        views,
        carts,
        clicks,
        0 as impressions,
        0 as orders,
        0 as units,
        0 as returned_units,
        0 as revenue_minor
    from event_days

    union all

    select
        product_id,
        event_date,
        known_date,
        0 as views,
        0 as carts,
        0 as clicks,
        impressions,
        0 as orders,
        0 as units,
        0 as returned_units,
        0 as revenue_minor
    from impression_days

    union all

    select
        product_id,
        event_date,
        known_date,
        0 as views,
        0 as carts,
        0 as clicks,
        0 as impressions,
        orders,
        units,
        returned_units,
        revenue_minor
    from order_days

)

select
    product_id,
    event_date,
    known_date,
    cast(sum(views) as bigint) as views,
    cast(sum(carts) as bigint) as carts,
    cast(sum(clicks) as bigint) as clicks,
    cast(sum(impressions) as bigint) as impressions,
    cast(sum(orders) as bigint) as orders,
    cast(sum(units) as bigint) as units,
    cast(sum(returned_units) as bigint) as returned_units,
    cast(sum(revenue_minor) as bigint) as revenue_minor
from measures
group by product_id, event_date, known_date
