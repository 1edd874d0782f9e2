{{ config(materialized='view') }}

-- A version that marks an order as a test is set aside; what other versions said of the order stands again without the mark.
-- One that is a test from the first is no order until it is none.
with versions as (
    select
        order_id,
        is_test,
        coalesce(updated_at, landed_at) as turned_at,
        coalesce(lag(is_test) over order_versions, false) as was_test
    from {{ ref('stg_shop__orders') }}
    where
        coalesce(updated_at, landed_at) >= accepted_at
        and (
            record_status = 'accepted'
            or reject_reason = 'order is marked as a test'
        )
    window order_versions as (partition by order_id order by coalesce(updated_at, landed_at), landed_at, content_hash)
)

select
    order_id,
    turned_at,
    is_test
from versions
where is_test <> was_test
