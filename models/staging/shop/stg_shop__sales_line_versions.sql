{{ config(materialized='view') }}

-- A line has no time of its own: what a later version says is known since it landed.
with order_lines as (
    select
        'web_shop-' || order_id as order_id,
        order_line_id,
        case when row_number() over line_versions = 1 then first_known_at else landed_at end as known_at,
        coalesce(lead(landed_at) over line_versions, timestamp '9999-12-31 00:00:00') as next_known_at,
        sku,
        quantity,
        unit_price,
        total_discount,
        source_file,
        source_line,
        source_key
    from {{ ref('stg_shop__order_lines') }}
    where record_status = 'accepted'
    window line_versions as (partition by order_line_id order by landed_at, content_hash)
),

currencies as (
    select * from {{ ref('stg_shop__sales_order_currencies') }}
),

-- That an order is in another currency is a version of each of its lines, which the order's record tells.
versions as (
    select
        order_lines.*,
        currencies.source_currency,
        currencies.valid_from,
        currencies.source_file as order_file,
        currencies.source_line as order_line,
        currencies.source_key as order_key,
        coalesce(currencies.valid_from > order_lines.known_at, false) as is_of_order
    from order_lines
    left join currencies
        on order_lines.order_id = currencies.order_id
        and order_lines.known_at < currencies.valid_to
        and order_lines.next_known_at > currencies.valid_from
)

select
    'web_shop-' || order_line_id as order_line_id,
    case when is_of_order then valid_from else known_at end as known_at,
    sku as product_id,
    quantity,
    quantity < 0 as is_return,
    source_currency,
    {{ shop_line_amounts('quantity', 'unit_price', 'total_discount') }},
    case when is_of_order then order_file else source_file end as source_file,
    case when is_of_order then order_line else source_line end as source_line,
    case when is_of_order then order_key else source_key end as source_key
from versions
