{{ config(materialized='view') }}

-- A line has no time of its own: what a later version says is known since it landed, and no earlier than the line.
with versions as (
    select
        'web_shop-' || order_line_id as order_line_id,
        'web_shop-' || order_id as order_id,
        version_number,
        is_latest_version,
        case when version_number = 1 then first_known_at else greatest(landed_at, first_known_at) end as known_at,
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

-- Most lines have one version: nothing of theirs has to be put in order.
spans as (
    select
        versions.*,
        timestamp '9999-12-31 00:00:00' as next_known_at
    from versions
    where is_latest_version

    union all

    select *
    from (
        select
            versions.*,
            lead(known_at) over (partition by order_line_id order by version_number) as next_known_at
        from versions
        where not is_latest_version or version_number > 1
    ) as several
    where
        not is_latest_version
        and known_at < next_known_at
),

-- That an order is in another currency is a version of each of its lines, which the order's record tells.
told as (
    select
        spans.order_line_id,
        spans.sku,
        spans.quantity,
        spans.unit_price,
        spans.total_discount,
        currencies.source_currency,
        currencies.valid_from > spans.known_at as is_told_by_order,
        -- `greatest` passes over a null.
        greatest(spans.known_at, currencies.valid_from) as known_at,
        spans.source_file as line_file,
        spans.source_line as line_line,
        spans.source_key as line_key,
        currencies.source_file as order_file,
        currencies.source_line as order_line,
        currencies.source_key as order_key
    from spans
    left join {{ ref('stg_shop__sales_order_currencies') }} as currencies
        on spans.order_id = currencies.order_id
        and spans.known_at < currencies.valid_to
        and spans.next_known_at > currencies.valid_from
)

select
    order_line_id,
    known_at,
    sku as product_id,
    quantity,
    quantity < 0 as is_return,
    source_currency,
    {{ shop_line_amounts('quantity', 'unit_price', 'total_discount') }},
    case when is_told_by_order then order_file else line_file end as source_file,
    case when is_told_by_order then order_line else line_line end as source_line,
    case when is_told_by_order then order_key else line_key end as source_key
from told
