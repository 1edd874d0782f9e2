{{ config(materialized='view') }}

-- A version that marks an order as a test is set aside; what other versions said of the order stands again without the mark.
with versions as (
    select
        order_id,
        is_test,
        coalesce(lag(is_test) over order_versions, false) as was_test,
        case
            when row_number() over order_versions = 1 then created_at
            else coalesce(updated_at, landed_at)
        end as turned_at,
        max(case when record_status = 'accepted' then 1 else 0 end) over (partition by order_id) as is_sale
    from {{ ref('stg_shop__orders') }}
    where
        record_status = 'accepted'
        or reject_reason = 'order is marked as a test'
    window order_versions as (partition by order_id order by coalesce(updated_at, landed_at), landed_at, content_hash)
)

select
    order_id,
    turned_at,
    is_test
from versions
where
    is_test <> was_test
    and is_sale = 1
