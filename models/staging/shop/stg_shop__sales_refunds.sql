{{ config(materialized='view') }}

with refund_lines as (
    select
        *,
        row_number() over refund_versions as version_number,
        lag(order_line_id) over refund_versions as previous_order_line_id,
        lag(quantity) over refund_versions as previous_quantity,
        lag(subtotal) over refund_versions as previous_subtotal
    from {{ ref('stg_shop__order_line_refunds') }}
    where record_status = 'accepted'
    window refund_versions as (partition by order_line_refund_id order by landed_at, content_hash)
),

-- A version adds what it says and takes back what the one before said, which may have been of another line.
differences as (
    select
        refund_lines.*,
        case
            when version_number = 1 then order_line_refund_id
            else order_line_refund_id || '-version-' || cast(version_number as string)
        end as difference_id,
        order_line_id as refunded_line_id,
        case
            when order_line_id = previous_order_line_id then quantity - previous_quantity
            else quantity
        end as more_quantity,
        case
            when order_line_id = previous_order_line_id then subtotal - previous_subtotal
            else subtotal
        end as more_subtotal
    from refund_lines

    union all

    select
        refund_lines.*,
        order_line_refund_id || '-version-' || cast(version_number as string) || '-moved' as difference_id,
        previous_order_line_id as refunded_line_id,
        -previous_quantity as more_quantity,
        -previous_subtotal as more_subtotal
    from refund_lines
    where order_line_id <> previous_order_line_id
),

refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

current_refunds as (
    select
        'web_shop-' || differences.difference_id as refund_line_id,
        'web_shop-' || differences.refunded_line_id as order_line_id,
        refunds.refunded_at,
        case
            when differences.version_number = 1 then refunds.known_at
            else greatest(differences.landed_at, refunds.known_at)
        end as known_at,
        cast(differences.more_quantity as bigint) as quantity,
        cast(differences.more_subtotal as decimal(18, 4)) as refund_amount,
        differences.source_file,
        differences.source_line,
        differences.source_key
    from differences
    inner join refunds on differences.refund_id = refunds.refund_id
    where
        refunds.is_latest_version
        and (
            differences.version_number = 1
            or differences.more_quantity <> 0
            or differences.more_subtotal <> 0
        )
),

deletions as (
    select
        'web_shop-' || row_id as order_line_id,
        deleted_at,
        restored_at,
        row_number() over (partition by row_id order by deleted_at) as deletion_number
    from {{ ref('stg_shop__deletions') }}
    where table_name = 'order_line'
),

versions as (
    select
        deletions.*,
        versions.quantity,
        versions.gross_amount - versions.discount_amount as amount,
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
        sum(current_refunds.quantity) as quantity,
        sum(current_refunds.refund_amount) as refund_amount
    from deletions
    inner join current_refunds
        on deletions.order_line_id = current_refunds.order_line_id
        and deletions.deleted_at >= current_refunds.known_at
    group by deletions.order_line_id, deletions.deletion_number
),

-- A line that the shop takes out of an order that stands: what was left of it is given back, until it is there again.
deleted_lines as (
    select
        versions.order_line_id,
        versions.deleted_at,
        versions.restored_at,
        versions.deletion_number,
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
)

select * from current_refunds

union all

select
    order_line_id || '-deleted-' || cast(deletion_number as string) as refund_line_id,
    order_line_id,
    deleted_at as refunded_at,
    deleted_at as known_at,
    quantity,
    refund_amount,
    source_file,
    source_line,
    source_key
from deleted_lines

union all

select
    order_line_id || '-restored-' || cast(deletion_number as string) as refund_line_id,
    order_line_id,
    restored_at as refunded_at,
    restored_at as known_at,
    -quantity as quantity,
    -refund_amount as refund_amount,
    source_file,
    source_line,
    source_key
from deleted_lines
where restored_at is not null
