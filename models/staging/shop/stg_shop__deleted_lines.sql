{{ config(materialized='view') }}

-- A line that the shop takes out of an order that stands: what was left of it is given back, until it is there again. One
-- that goes while the order is cancelled is given back when the order stands again.
with lines as (
    select
        'web_shop-' || order_line_id as order_line_id,
        'web_shop-' || order_id as order_id,
        first_known_at
    from {{ ref('stg_shop__order_lines') }}
    where version_number = 1
),

seen as (
    select
        lines.order_line_id,
        lines.order_id,
        deletions.deletion_number,
        greatest(deletions.deleted_at, lines.first_known_at) as deleted_at,
        deletions.restored_at
    from {{ ref('stg_shop__deletions') }} as deletions
    inner join lines on 'web_shop-' || deletions.row_id = lines.order_line_id
    where deletions.table_name = 'order_line'
),

standing as (
    select
        seen.order_line_id,
        seen.deletion_number,
        coalesce(cancellations.reinstated_at, seen.deleted_at) as deleted_at,
        seen.restored_at
    from seen
    left join {{ ref('stg_shop__sales_order_cancellations') }} as cancellations
        on seen.order_id = cancellations.order_id
        and seen.deleted_at >= cancellations.cancelled_at
        and seen.deleted_at < coalesce(cancellations.reinstated_at, timestamp '9999-12-31 00:00:00')
    where
        cancellations.order_id is null
        or cancellations.reinstated_at is not null
),

deletions as (
    select * from standing
    where
        restored_at is null
        or restored_at > deleted_at
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
left join refunded
    on versions.order_line_id = refunded.order_line_id
    and versions.deletion_number = refunded.deletion_number
where versions.newest_first = 1
