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
)

select
    'web_shop-' || differences.difference_id as refund_line_id,
    differences.order_line_refund_id,
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
