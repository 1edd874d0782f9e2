{{ config(materialized='view') }}

-- A report repeats an order whenever it changes: what each said of a line's price, currency and quantity.
with orders as (
    select * from {{ ref('stg_marketplace__orders') }}
    where
        record_status = 'accepted'
        and item_price is not null
)

select
    'marketplace-' || order_id || '-' || sku as order_line_id,
    updated_at as known_at,
    sku as product_id,
    quantity,
    coalesce(currency, 'XXX') as source_currency,
    item_price as gross_amount,
    item_promotion_discount as discount_amount,
    source_file,
    source_line,
    source_key
from orders
