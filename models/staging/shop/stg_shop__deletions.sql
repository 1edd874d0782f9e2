{{ config(materialized='view') }}

with sightings as (
    select
        table_name,
        source_key,
        is_deleted,
        landed_at,
        load_id,
        coalesce(
            lag(is_deleted) over (partition by table_name, source_key order by landed_at, load_id),
            false
        ) as was_deleted
    from {{ ref('stg_shop__tombstones') }}
    where record_status = 'accepted'
),

turns as (
    select
        table_name,
        source_key,
        is_deleted,
        landed_at,
        load_id,
        lead(landed_at) over (partition by table_name, source_key order by landed_at, load_id) as next_turned_at
    from sightings
    where is_deleted <> was_deleted
),

deletions as (
    select
        table_name,
        source_key as row_id,
        row_number() over (partition by table_name, source_key order by landed_at, load_id) as deletion_number,
        landed_at as deleted_at,
        next_turned_at as restored_at
    from turns
    where is_deleted
)

select * from deletions
