{{ config(materialized='view') }}

-- What happened on each device, and when it was known: every event, which may lie between two others of a session, and the
-- products of the orders that were placed there.
select
    device_id,
    event_at,
    known_date,
    case when event_kind = 'view' and product_id is not null then 'viewed' end as side,
    case when event_kind = 'view' then product_id end as product_id
from {{ ref('int_events__unioned') }}
where
    allows_analytics
    and not is_declared_bot

union all

select
    device_id,
    event_at,
    known_date,
    'ordered' as side,
    product_id
from {{ ref('int_device_orders__known') }}
