{{ config(materialized='view') }}

-- A line has no time of its own: its first version is as old as the order, what a later one says is known since it landed.
with order_lines as (
    select
        order_line_id,
        ordered_at,
        landed_at,
        sku,
        quantity,
        unit_price,
        total_discount,
        source_file,
        source_line,
        source_key,
        row_number() over (partition by order_line_id order by landed_at, content_hash) as version_number
    from {{ ref('stg_shop__order_lines') }}
    where record_status = 'accepted'
)

select
    'web_shop-' || order_line_id as order_line_id,
    case when version_number = 1 then ordered_at else landed_at end as known_at,
    sku as product_id,
    quantity,
    cast(unit_price * quantity as decimal(18, 4)) as gross_amount,
    total_discount as discount_amount,
    source_file,
    source_line,
    source_key
from order_lines
