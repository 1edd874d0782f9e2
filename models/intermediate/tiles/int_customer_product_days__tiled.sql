{{ config(materialized='incremental', unique_key='known_date') }}

-- One row a customer, product, day of the event and day it became known: sums that any window can add up. Category,
-- brand and price are those of the feed that was out on the day of the event.
with event_days as (

    select
        customer_id,
        product_id,
        event_date,
        known_date,
        sum(case when event_kind = 'view' then change else 0 end) as views,
        sum(case when event_kind = 'cart' then change else 0 end) as carts,
        sum(case when event_kind = 'cart_removal' then change else 0 end) as removals
    from {{ ref('int_events__attributed') }}
    where
        product_id is not null
        and event_kind in ('view', 'cart', 'cart_removal')
        and known_date >= {{ replaced_from('known_date') }}
    group by customer_id, product_id, event_date, known_date

),

order_changes as (

    select
        customer_id,
        product_id,
        order_id,
        event_date,
        known_date,
        cast(sum(units) as bigint) as units
    from {{ ref('int_order_changes__attributed') }}
    where product_id is not null
    group by customer_id, product_id, order_id, event_date, known_date

),

standing as (

    select
        customer_id,
        product_id,
        event_date,
        known_date,
        {{ newly_standing('customer_id, product_id, order_id') }} as orders
    from order_changes

),

measures as (

    select
        customer_id,
        product_id,
        event_date,
        known_date,
        views,
        carts,
        removals,
        0 as orders
    from event_days

    union all

    select
        customer_id,
        product_id,
        event_date,
        known_date,
        0 as views,
        0 as carts,
        0 as removals,
        orders
    from standing
    where known_date >= {{ replaced_from('known_date') }}

),

summed as (

    select
        customer_id,
        product_id,
        event_date,
        known_date,
        cast(sum(views) as bigint) as views,
        cast(sum(carts) as bigint) as carts,
        cast(sum(removals) as bigint) as removals,
        cast(sum(orders) as bigint) as orders
    from measures
    group by customer_id, product_id, event_date, known_date

),

described as (

    select
        summed.*,
        products.category,
        products.brand,
        products.price_rank
    from summed
    left join {{ ref('int_products__ranked') }} as products
        on summed.product_id = products.product_id
        and summed.event_date = products.listed_date

)

select * from described
where views <> 0 or carts <> 0 or removals <> 0 or orders <> 0
