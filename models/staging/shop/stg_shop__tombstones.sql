with landed as (
    {{ landed_rows('raw_shop', 'tombstones', ['table_name', 'is_deleted'], source_file='table_name') }}
),

checked as (
    select
        landed.*,
        cast(null as string) as reject_reason
    from landed
)

{{ judged('checked', key=['table_name', 'source_key', 'landed_at'], first_by=['load_id', 'content_hash']) }}
