{{ config(materialized='view') }}

-- Everything that holds products together: sessions on a device, and orders.
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
    event_date,
    known_date,
    'bought' as side,
    product_id,
    cast(1 as bigint) as change
from {{ ref('int_order_products__known') }}
where place <= {{ var('pair_products_per_order') }}
