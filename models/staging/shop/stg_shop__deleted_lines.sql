{{ config(materialized='view') }}

-- A line that the shop takes out of an order that stands: what was left of it is given back, until it is there again.
with deletions as (
    select
        'web_shop-' || row_id as order_line_id,
        deletion_number,
        deleted_at,
        restored_at
    from {{ ref('stg_shop__deletions') }}
    where table_name = 'order_line'
),

versions as (
    select
        deletions.*,
        versions.quantity,
        versions.gross_amount - versions.discount_amount - versions.return_amount as amount,
        versions.source_file,
        versions.source_line,
        versions.source_key,
        row_number() over (
            partition by deletions.order_line_id, deletions.deletion_number
            order by versions.known_at desc
        ) as newest_first
    from deletions
    inner join {{ ref('stg_shop__sales_line_versions') }} as versions
        on deletions.order_line_id = versions.order_line_id
        and deletions.deleted_at >= versions.known_at
),

refunded as (
    select
        deletions.order_line_id,
        deletions.deletion_number,
        sum(refunds.quantity) as quantity,
        sum(refunds.refund_amount) as refund_amount
    from deletions
    inner join {{ ref('stg_shop__refund_changes') }} as refunds
        on deletions.order_line_id = refunds.order_line_id
        and deletions.deleted_at >= refunds.known_at
    group by deletions.order_line_id, deletions.deletion_number
)

select
    versions.order_line_id,
    versions.deletion_number,
    versions.deleted_at,
    versions.restored_at,
    cast(versions.quantity - coalesce(refunded.quantity, 0) as bigint) as quantity,
    cast(versions.amount - coalesce(refunded.refund_amount, 0) as decimal(18, 4)) as refund_amount,
    versions.source_file,
    versions.source_line,
    versions.source_key
from versions
inner join {{ ref('stg_shop__sales_order_lines') }} as lines on versions.order_line_id = lines.order_line_id
inner join {{ ref('stg_shop__sales_orders') }} as orders on lines.order_id = orders.order_id
left join refunded
    on versions.order_line_id = refunded.order_line_id
    and versions.deletion_number = refunded.deletion_number
where
    versions.newest_first = 1
    and (orders.cancelled_at is null or versions.deleted_at < orders.cancelled_at)
