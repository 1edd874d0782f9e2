with landed as (
    {{ landed_rows('raw_shop', 'order_line_refund', [
        'id', 'refund_id', 'order_line_id', 'quantity', 'subtotal', 'total_tax', 'restock_type'
    ]) }}
),

typed as (
    select
        cast(id as string) as order_line_refund_id,
        cast(refund_id as string) as refund_id,
        cast(order_line_id as string) as order_line_id,
        cast(quantity as bigint) as quantity,
        cast(subtotal as decimal(18, 4)) as subtotal,
        cast(total_tax as decimal(18, 4)) as total_tax,
        restock_type,
        content_hash,
        landed_at,
        load_id
    from landed
),

checked as (
    select
        typed.*,
        case
            when order_line_refund_id is null then 'id is missing'
            when refund_id is null then 'refund_id is missing'
            when order_line_id is null then 'order_line_id is missing'
            when quantity is null then 'quantity is missing'
        end as reject_reason
    from typed
),

judged as (
    {{ judged('checked', key=['order_line_refund_id', 'content_hash'], first_by=['landed_at']) }}
)

select
    judged.*,
    {{ is_latest_version('order_line_refund_id', ['landed_at', 'content_hash']) }} as is_latest_version
from judged
