{{ config(materialized='view') }}

with deleted_lines as (
    select * from {{ ref('stg_shop__deleted_lines') }}
)

select * from {{ ref('stg_shop__refund_changes') }}

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
