{{ config(materialized='view') }}

with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

cancellations as (
    select * from {{ ref('stg_shop__sales_order_cancellations') }}
    where reinstated_at is null
),

current_orders as (
    select
        'web_shop-' || orders.order_id as order_id,
        'web_shop' as sales_channel,
        orders.order_id as source_order_id,
        orders.ordered_at,
        orders.known_at,
        cancellations.cancelled_at,
        orders.account_id,
        orders.email_hash,
        cast(null as string) as loyalty_id,
        cast(null as string) as country_code,
        orders.total_tax as order_tax_amount,
        orders.source_file,
        orders.source_line,
        orders.source_key
    from orders
    left join cancellations on 'web_shop-' || orders.order_id = cancellations.order_id
    where orders.is_latest_version
)

select * from current_orders
