{{ config(materialized='view') }}

-- An order is cancelled while none of the lines listed by then stands. Those of one moment count at once.
with reports as (
    select
        order_id,
        sku,
        occurrence,
        updated_at,
        case when order_status like 'cancel%' or item_status like 'cancel%' then 0 else 1 end as standing
    from {{ ref('stg_marketplace__listings') }}
),

changes as (
    select
        order_id,
        updated_at,
        standing - coalesce(lag(standing) over (partition by order_id, sku, occurrence order by updated_at), 0) as change
    from reports
),

counted as (
    select
        order_id,
        updated_at,
        sum(sum(change)) over (partition by order_id order by updated_at) as standing_lines
    from changes
    group by order_id, updated_at
),

states as (
    select
        order_id,
        updated_at,
        standing_lines = 0 as is_cancelled,
        coalesce(lag(standing_lines) over (partition by order_id order by updated_at) = 0, false) as was_cancelled
    from counted
),

spans as (
    select
        order_id,
        is_cancelled,
        updated_at as cancelled_at,
        lead(updated_at) over (partition by order_id order by updated_at) as reinstated_at
    from states
    where is_cancelled <> was_cancelled
)

select
    'marketplace-' || order_id as order_id,
    cancelled_at,
    reinstated_at
from spans
where is_cancelled
