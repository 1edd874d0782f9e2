{{ config(materialized='view') }}

-- Everything that holds products together: sessions on a device, and orders. An order holds what was ordered,
-- whatever came back.
with order_products as (

    select
        order_id,
        product_id,
        min(ordered_at) as ordered_at,
        cast(min(known_at) as date) as known_date
    from {{ ref('int_order_changes__valued') }}
    where
        product_id is not null
        and units > 0
    group by order_id, product_id

),

-- What an order is known to hold later has its place after what it was known to hold before. Of a large one some are
-- drawn: by name, products of late letters would never be paired.
numbered as (

    select
        order_products.*,
        row_number() over (
            partition by order_id
            order by known_date, {{ hashed_share("order_id || ' ' || product_id") }}, product_id
        ) as place
    from order_products

)

select
    device_id || ' ' || cast({{ epoch_microseconds('session_started_at') }} as string) as basket_id,
    event_date,
    known_date,
    side,
    product_id,
    change
from {{ ref('int_session_products__known') }}

union all

select
    order_id as basket_id,
    cast(ordered_at as date) as event_date,
    known_date,
    'bought' as side,
    product_id,
    cast(1 as bigint) as change
from numbered
where place <= {{ var('pair_products_per_order') }}
