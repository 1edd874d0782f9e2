{{ config(materialized='view') }}

with refund_lines as (
    select * from {{ ref('stg_shop__order_line_refunds') }}
),

refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

current_refunds as (
    select
        'web_shop-' || refund_lines.order_line_refund_id as refund_line_id,
        'web_shop-' || refund_lines.order_line_id as order_line_id,
        coalesce(refunds.processed_at, refunds.created_at) as refunded_at,
        refunds.created_at as known_at,
        refund_lines.quantity,
        refund_lines.subtotal as refund_amount
    from refund_lines
    inner join refunds on refund_lines.refund_id = refunds.refund_id
    where
        refund_lines.is_latest_version
        and refunds.is_latest_version
)

select * from current_refunds
