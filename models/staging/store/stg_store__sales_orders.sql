{{ config(materialized='view') }}

with transactions as (
    select * from {{ ref('stg_store__transactions') }}
    where record_status = 'accepted'
),

summed as (
    select
        order_id,
        'store' as sales_channel,
        store_id || '-' || transaction_id as source_order_id,
        min(sold_at) as ordered_at,
        min(known_at) as known_at,
        cast(null as timestamp) as cancelled_at,
        cast(null as string) as account_id,
        cast(null as string) as email_hash,
        max(loyalty_id) as loyalty_id,
        max(country_code) as country_code,
        cast(null as decimal(18, 4)) as order_tax_amount
    from transactions
    group by order_id, store_id, transaction_id
)

select * from summed
