{{ config(materialized='view') }}

with order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

current_lines as (
    select
        'web_shop-' || order_lines.order_line_id as order_line_id,
        'web_shop-' || order_lines.order_id as order_id,
        cast(null as bigint) as line_number,
        order_lines.sku as product_id,
        order_lines.quantity,
        order_lines.quantity < 0 as is_return,
        orders.currency as source_currency,
        {{ shop_line_amounts('order_lines.quantity', 'order_lines.unit_price', 'order_lines.total_discount') }},
        -- The shop knows the tax of an order, not of its lines.
        cast(null as decimal(18, 4)) as tax_amount,
        orders.known_at,
        order_lines.source_file,
        order_lines.source_line,
        order_lines.source_key
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    where
        order_lines.is_latest_version
        and orders.is_latest_version
)

select * from current_lines
