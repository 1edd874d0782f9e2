{{ config(materialized='view') }}

-- Whose the shop says an order is: a guest's may be given to an account later. What the first version says is as old as the
-- order, what a later one says as that version.
with versions as (
    select
        order_id,
        account_id,
        email_hash,
        known_at,
        coalesce(updated_at, landed_at) as changed_at,
        source_file,
        source_line,
        source_key,
        row_number() over (
            partition by order_id
            order by coalesce(updated_at, landed_at), landed_at, content_hash
        ) as version_number
    from {{ ref('stg_shop__orders') }}
    where record_status = 'accepted'
)

select
    'web_shop-' || order_id as order_id,
    case when version_number = 1 then known_at else greatest(changed_at, known_at) end as known_at,
    version_number,
    account_id,
    email_hash,
    cast(null as string) as loyalty_id,
    source_file,
    source_line,
    source_key
from versions
