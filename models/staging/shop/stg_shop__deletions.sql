{{ config(materialized='view') }}

with tombstones as (
    select * from {{ ref('stg_shop__tombstones') }}
),

last_seen as (
    select
        tombstones.*,
        row_number() over (
            partition by table_name, source_key
            order by landed_at desc, load_id desc
        ) as newest_first
    from tombstones
    where record_status = 'accepted'
),

deletions as (
    select
        table_name,
        source_key as row_id,
        landed_at as deleted_at
    from last_seen
    where
        newest_first = 1
        and is_deleted
)

select * from deletions
