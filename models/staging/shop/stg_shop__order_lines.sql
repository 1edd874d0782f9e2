with landed as (
    {{ landed_rows('raw_shop', 'order_line', [
        'id', 'order_id', 'product_id', 'variant_id', 'sku', 'quantity', 'price', 'total_discount'
    ]) }}
),

typed as (
    select
        cast(id as string) as order_line_id,
        cast(order_id as string) as order_id,
        cast(product_id as string) as shop_product_id,
        cast(variant_id as string) as shop_variant_id,
        nullif(trim(sku), '') as sku,
        cast(quantity as bigint) as quantity,
        cast(price as decimal(18, 4)) as unit_price,
        coalesce(cast(total_discount as decimal(18, 4)), 0) as total_discount,
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from landed
),

orders as (
    select
        order_id,
        bool_or(record_status = 'accepted') as is_accepted,
        min(load_id) as first_load_id,
        coalesce(min(ordered_at) filter (where record_status = 'accepted'), min(ordered_at)) as ordered_at,
        coalesce(min(known_at) filter (where record_status = 'accepted'), min(known_at)) as known_at
    from {{ ref('stg_shop__orders') }}
    where order_id is not null
    group by order_id
),

checked as (
    select
        typed.*,
        orders.ordered_at,
        -- A line has no time of its own. One that came with its order is as old; another was added when it landed.
        case
            when typed.load_id > orders.first_load_id then greatest(typed.landed_at, orders.known_at)
            else orders.known_at
        end as first_known_at,
        case
            when order_line_id is null then 'id is missing'
            when typed.order_id is null then 'order_id is missing'
            when typed.order_id <> first_value(typed.order_id) over line_versions
                then 'order_id is not the one that the line came with'
            when quantity is null then 'quantity is missing'
            when unit_price is null then 'price is missing'
            when unit_price < 0 then 'price is negative'
            when orders.order_id is null then 'order has not landed'
            when not orders.is_accepted then 'order was rejected'
        end as reject_reason
    from typed
    left join orders on typed.order_id = orders.order_id
    window line_versions as (
        partition by order_line_id, typed.order_id is null
        order by landed_at, typed.load_id, content_hash
    )
),

judged as (
    {{ judged_versions('checked', key='order_line_id') }}
)

select
    judged.*,
    {{ version_number('order_line_id', ['landed_at', 'content_hash']) }} as version_number,
    {{ is_latest_version('order_line_id', ['landed_at', 'content_hash']) }} as is_latest_version
from judged
