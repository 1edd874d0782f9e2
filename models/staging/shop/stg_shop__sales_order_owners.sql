{{ config(materialized='view') }}

-- Whose the shop says an order is: a guest's may be given to an account later. What the first version says is as old as the
-- order, what a later one says as that version.
select
    'web_shop-' || order_id as order_id,
    case
        when version_number = 1 then known_at
        else greatest(coalesce(updated_at, landed_at), known_at)
    end as known_at,
    version_number,
    account_id,
    email_hash,
    cast(null as string) as loyalty_id,
    source_file,
    source_line,
    source_key
from {{ ref('stg_shop__orders') }}
where record_status = 'accepted'
