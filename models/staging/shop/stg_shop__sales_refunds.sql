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
        refund_lines.subtotal as refund_amount,
        refund_lines.source_file,
        refund_lines.source_line,
        refund_lines.source_key
    from refund_lines
    inner join refunds on refund_lines.refund_id = refunds.refund_id
    where
        refund_lines.is_latest_version
        and refunds.is_latest_version
),

lines as (
    select * from {{ ref('stg_shop__sales_order_lines') }}
),

orders as (
    select * from {{ ref('stg_shop__sales_orders') }}
),

deletions as (
    select * from {{ ref('stg_shop__deletions') }}
    where table_name = 'order_line'
),

refunded as (
    select
        order_line_id,
        sum(quantity) as quantity,
        sum(refund_amount) as refund_amount
    from current_refunds
    group by order_line_id
),

-- A line that the shop takes out of an order that stands: what was left of it is given back.
deleted_lines as (
    select
        lines.order_line_id || '-deleted' as refund_line_id,
        lines.order_line_id,
        deletions.deleted_at as refunded_at,
        deletions.deleted_at as known_at,
        cast(lines.quantity - coalesce(refunded.quantity, 0) as bigint) as quantity,
        cast(
            lines.gross_amount - lines.discount_amount - coalesce(refunded.refund_amount, 0) as decimal(18, 4)
        ) as refund_amount,
        lines.source_file,
        lines.source_line,
        lines.source_key
    from lines
    inner join deletions on lines.order_line_id = 'web_shop-' || deletions.row_id
    inner join orders on lines.order_id = orders.order_id
    left join refunded on lines.order_line_id = refunded.order_line_id
    where orders.cancelled_at is null
)

select * from current_refunds
union all
select * from deleted_lines
