{{ config(materialized='view') }}

with versions as (
    select * from {{ ref('stg_shop__refund_versions') }}
),

deletions as (
    select
        row_id as order_line_refund_id,
        deletion_number,
        deleted_at,
        restored_at
    from {{ ref('stg_shop__deletions') }}
    where table_name = 'order_line_refund'
),

-- A refund whose row the shop deletes is none, until it is there again.
deleted as (
    select
        deletions.order_line_refund_id,
        deletions.deletion_number,
        deletions.deleted_at,
        deletions.restored_at,
        versions.order_line_id,
        max(versions.refunded_at) as refunded_at,
        cast(sum(versions.quantity) as bigint) as quantity,
        cast(sum(versions.refund_amount) as decimal(18, 4)) as refund_amount,
        max(versions.source_file) as source_file,
        max(versions.source_line) as source_line,
        max(versions.source_key) as source_key
    from deletions
    inner join versions
        on deletions.order_line_refund_id = versions.order_line_refund_id
        and deletions.deleted_at >= versions.known_at
    group by
        deletions.order_line_refund_id,
        deletions.deletion_number,
        deletions.deleted_at,
        deletions.restored_at,
        versions.order_line_id
    -- One that turned out to be of another line is no more of the first.
    having sum(versions.quantity) <> 0 or sum(versions.refund_amount) <> 0
)

select
    refund_line_id,
    order_line_id,
    refunded_at,
    known_at,
    quantity,
    refund_amount,
    source_file,
    source_line,
    source_key
from versions

union all

select
    'web_shop-' || order_line_refund_id || '-withdrawn-' || cast(deletion_number as string) as refund_line_id,
    order_line_id,
    refunded_at,
    deleted_at as known_at,
    -quantity as quantity,
    -refund_amount as refund_amount,
    source_file,
    source_line,
    source_key
from deleted

union all

select
    'web_shop-' || order_line_refund_id || '-renewed-' || cast(deletion_number as string) as refund_line_id,
    order_line_id,
    refunded_at,
    restored_at as known_at,
    quantity,
    refund_amount,
    source_file,
    source_line,
    source_key
from deleted
where restored_at is not null
