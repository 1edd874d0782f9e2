{{ config(materialized='view') }}

-- Whose a sale was said to be: a file may say otherwise of its lines later. What it adds to them says nothing of that.
with versions as (
    select
        order_id,
        known_at,
        loyalty_id,
        first_known_at,
        min(known_at) over (partition by order_id) as order_known_at
    from {{ ref('stg_store__transactions') }}
    where record_status = 'accepted'
)

select
    order_id,
    known_at,
    row_number() over (partition by order_id order by known_at) as version_number,
    cast(null as string) as account_id,
    cast(null as string) as email_hash,
    max(loyalty_id) as loyalty_id
from versions
where first_known_at = order_known_at
group by order_id, known_at
