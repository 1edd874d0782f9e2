{{ config(materialized='view') }}

-- A report repeats an order whenever it changes: what each said of a line's price, currency and quantity.
select
    order_line_id,
    updated_at as known_at,
    sku as product_id,
    quantity,
    false as is_return,
    coalesce(currency, 'XXX') as source_currency,
    item_price as gross_amount,
    item_promotion_discount as discount_amount,
    cast(0 as decimal(18, 4)) as return_amount,
    source_file,
    source_line,
    source_key
from {{ ref('stg_marketplace__items') }}
where item_price is not null
