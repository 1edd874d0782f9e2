{{ config(materialized='view') }}

with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

current_orders as (
    select
        'web_shop-' || order_id as order_id,
        'web_shop' as sales_channel,
        order_id as source_order_id,
        created_at as ordered_at,
        created_at as known_at,
        cancelled_at,
        account_id,
        email_hash,
        cast(null as string) as loyalty_id,
        cast(null as string) as country_code,
        total_tax as order_tax_amount
    from orders
    where is_latest_version
)

select * from current_orders
