{{ config(materialized='view') }}

with orders as (
    select * from {{ ref('stg_marketplace__orders') }}
    where record_status = 'accepted'
),

-- A pending order has no price yet; its money is known with the first version that has one.
first_priced as (
    select
        order_id,
        sku,
        min(updated_at) as priced_at
    from orders
    where item_price is not null
    group by order_id, sku
),

current_lines as (
    select
        'marketplace-' || orders.order_id || '-' || orders.sku as order_line_id,
        'marketplace-' || orders.order_id as order_id,
        row_number() over (partition by orders.order_id order by orders.sku) as line_number,
        orders.sku as product_id,
        orders.quantity,
        false as is_return,
        orders.currency as source_currency,
        orders.item_price as gross_amount,
        orders.item_promotion_discount as discount_amount,
        orders.item_tax as tax_amount,
        cast(0 as decimal(18, 4)) as return_amount,
        coalesce(first_priced.priced_at, orders.updated_at) as known_at,
        orders.source_file,
        orders.source_line,
        orders.source_key
    from orders
    left join first_priced
        on orders.order_id = first_priced.order_id
        and orders.sku = first_priced.sku
    where orders.is_latest_version
)

select * from current_lines
