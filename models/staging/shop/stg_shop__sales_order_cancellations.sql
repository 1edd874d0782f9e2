{{ config(materialized='view') }}

-- An order is taken back while the shop says that it is cancelled or a test, and while its row is gone. All of that may end:
-- a later version knows of no cancellation or is no test, or the row is there again.
with versions as (
    select
        order_id,
        cancelled_at,
        coalesce(updated_at, landed_at) as changed_at,
        lag(cancelled_at) over order_versions as previous_cancelled_at,
        lag(coalesce(updated_at, landed_at)) over order_versions as previous_changed_at,
        row_number() over order_versions as version_number
    from {{ ref('stg_shop__orders') }}
    where
        record_status = 'accepted'
        or reject_reason = 'order is marked as a test'
    window order_versions as (partition by order_id order by coalesce(updated_at, landed_at), landed_at, content_hash)
),

-- A cancellation that a version dates before the one that it follows was not known then: that one knew of none.
said as (
    select
        order_id,
        version_number,
        case
            when cancelled_at is null then greatest(changed_at, previous_cancelled_at)
            when cancelled_at <= previous_changed_at then changed_at
            else cancelled_at
        end as turned_at,
        case when cancelled_at is not null then 1 else -1 end as change
    from versions
    where (cancelled_at is null) <> (previous_cancelled_at is null)
),

turns as (
    -- What it says later holds no earlier.
    select
        order_id,
        max(turned_at) over (
            partition by order_id
            order by version_number
            rows between unbounded preceding and current row
        ) as turned_at,
        change
    from said

    union all

    select
        order_id,
        turned_at,
        case when is_test then 1 else -1 end as change
    from {{ ref('stg_shop__test_marks') }}

    union all

    select
        row_id as order_id,
        deleted_at as turned_at,
        1 as change
    from {{ ref('stg_shop__deletions') }}
    where table_name = 'orders'

    union all

    select
        row_id as order_id,
        restored_at as turned_at,
        -1 as change
    from {{ ref('stg_shop__deletions') }}
    where
        table_name = 'orders'
        and restored_at is not null
),

-- For how many reasons an order is taken back from then on.
reasons as (
    select
        order_id,
        turned_at,
        sum(sum(change)) over (partition by order_id order by turned_at) as reasons,
        sum(sum(change)) over (partition by order_id order by turned_at) - sum(change) as former_reasons
    from turns
    group by order_id, turned_at
),

spans as (
    select
        order_id,
        reasons,
        turned_at as cancelled_at,
        lead(turned_at) over (partition by order_id order by turned_at) as reinstated_at
    from reasons
    where (reasons = 0) <> (former_reasons = 0)
)

select
    'web_shop-' || order_id as order_id,
    cancelled_at,
    reinstated_at
from spans
where reasons > 0
