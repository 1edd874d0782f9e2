{{ config(materialized='view') }}

-- What a later file brings adds to the order, or corrects it: when it was made was known with the first.
with transactions as (
    select * from {{ ref('stg_store__transactions') }}
    where record_status = 'accepted'
),

summed as (
    select
        order_id,
        'store' as sales_channel,
        store_id || '-' || transaction_id as source_order_id,
        min(case when known_at = order_known_at then sold_at end) as ordered_at,
        order_known_at as known_at,
        cast(null as timestamp) as cancelled_at,
        cast(null as string) as account_id,
        cast(null as string) as email_hash,
        max(case when known_at = order_known_at then loyalty_id end) as loyalty_id,
        max(country_code) as country_code,
        cast(null as decimal(18, 4)) as order_tax_amount
    from transactions
    group by order_id, store_id, transaction_id, order_known_at
)

select * from summed
