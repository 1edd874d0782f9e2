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
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from landed
),

refunds as (
    select
        refund_id,
        bool_or(record_status = 'accepted') as is_accepted,
        min(created_at) as refunded_at
    from {{ ref('stg_shop__refunds') }}
    where refund_id is not null
    group by refund_id
),

order_lines as (
    select
        order_line_id,
        bool_or(record_status = 'accepted') as is_accepted
    from {{ ref('stg_shop__order_lines') }}
    where order_line_id is not null
    group by order_line_id
),

checked as (
    select
        typed.*,
        refunds.refunded_at,
        case
            when order_line_refund_id is null then 'id is missing'
            when typed.refund_id is null then 'refund_id is missing'
            when typed.order_line_id is null then 'order_line_id is missing'
            when quantity is null then 'quantity is missing'
            when subtotal is null then 'subtotal is missing'
            when not coalesce(refunds.is_accepted, false) then 'refund has not landed or was rejected'
            when not coalesce(order_lines.is_accepted, false) then 'order line has not landed or was rejected'
        end as reject_reason
    from typed
    left join refunds on typed.refund_id = refunds.refund_id
    left join order_lines on typed.order_line_id = order_lines.order_line_id
),

judged as (
    {{ judged_versions('checked', key='order_line_refund_id') }}
)

select
    judged.*,
    {{ is_latest_version('order_line_refund_id', ['landed_at', 'content_hash']) }} as is_latest_version
from judged
