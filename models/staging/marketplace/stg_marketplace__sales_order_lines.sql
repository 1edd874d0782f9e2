{{ config(materialized='view') }}

select
    order_line_id,
    'marketplace-' || order_id as order_id,
    row_number() over (partition by order_id order by sku, occurrence) as line_number,
    sku as product_id,
    quantity,
    false as is_return,
    currency as source_currency,
    -- What is cancelled before it has a price is worth nothing, too.
    case when is_removed then coalesce(item_price, 0) else item_price end as gross_amount,
    item_promotion_discount as discount_amount,
    item_tax as tax_amount,
    cast(0 as decimal(18, 4)) as return_amount,
    coalesce(priced_at, updated_at) as known_at,
    source_file,
    source_line,
    source_key
from {{ ref('stg_marketplace__items') }}
where is_latest_version
