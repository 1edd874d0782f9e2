{{ config(materialized='view') }}

-- What happened on each device, and when it was known: every event, which may lie between two others of a session, and the
-- products of an order, as soon as both the event and its lines are known.
with order_products as (

    select
        orders.source_order_id,
        lines.product_id,
        cast(min(lines.known_at) as date) as known_date
    from {{ ref('int_order_changes__told') }} as lines
    inner join {{ ref('int_orders__unioned') }} as orders on lines.order_id = orders.order_id
    where
        orders.sales_channel = 'web_shop'
        and lines.product_id is not null
        and lines.units > 0
    group by orders.source_order_id, lines.product_id

),

events as (

    select * from {{ ref('int_events__unioned') }}
    where
        allows_analytics
        and not is_declared_bot

)

select
    device_id,
    event_at,
    known_date,
    case when event_kind = 'view' and product_id is not null then 'viewed' end as side,
    case when event_kind = 'view' then product_id end as product_id
from events

union all

select
    events.device_id,
    events.event_at,
    greatest(events.known_date, order_products.known_date) as known_date,
    'ordered' as side,
    order_products.product_id
from events
inner join order_products
    on events.order_id = order_products.source_order_id
    and events.event_kind = 'order'
