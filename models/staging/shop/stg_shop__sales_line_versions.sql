{{ config(materialized='view') }}

-- A line has no time of its own: what a later version says is known since it landed.
with order_lines as (
    select
        'web_shop-' || order_line_id as order_line_id,
        'web_shop-' || order_id as order_id,
        version_number,
        case when version_number = 1 then first_known_at else landed_at end as known_at,
        sku,
        quantity,
        unit_price,
        total_discount,
        source_file,
        source_line,
        source_key
    from {{ ref('stg_shop__order_lines') }}
    where record_status = 'accepted'
),

currencies as (
    select * from {{ ref('stg_shop__sales_order_currencies') }}
),

-- Most orders have one currency, and nothing to say of their lines.
reordered as (
    select
        order_lines.*,
        coalesce(
            lead(known_at) over (partition by order_line_id order by version_number),
            timestamp '9999-12-31 00:00:00'
        ) as next_known_at
    from order_lines
    semi join currencies on order_lines.order_id = currencies.order_id
),

versions as (
    select
        order_lines.order_line_id,
        order_lines.known_at,
        order_lines.sku,
        order_lines.quantity,
        order_lines.unit_price,
        order_lines.total_discount,
        cast(null as string) as source_currency,
        order_lines.source_file,
        order_lines.source_line,
        order_lines.source_key
    from order_lines
    anti join currencies on order_lines.order_id = currencies.order_id

    union all

    -- That an order is in another currency is a version of each of its lines, which the order's record tells.
    select
        reordered.order_line_id,
        greatest(reordered.known_at, currencies.valid_from) as known_at,
        reordered.sku,
        reordered.quantity,
        reordered.unit_price,
        reordered.total_discount,
        currencies.source_currency,
        case when currencies.valid_from > reordered.known_at then currencies.source_file else reordered.source_file end
            as source_file,
        case when currencies.valid_from > reordered.known_at then currencies.source_line else reordered.source_line end
            as source_line,
        case when currencies.valid_from > reordered.known_at then currencies.source_key else reordered.source_key end
            as source_key
    from reordered
    inner join currencies
        on reordered.order_id = currencies.order_id
        and reordered.known_at < currencies.valid_to
        and reordered.next_known_at > currencies.valid_from
)

select
    order_line_id,
    known_at,
    sku as product_id,
    quantity,
    quantity < 0 as is_return,
    source_currency,
    {{ shop_line_amounts('quantity', 'unit_price', 'total_discount') }},
    source_file,
    source_line,
    source_key
from versions
