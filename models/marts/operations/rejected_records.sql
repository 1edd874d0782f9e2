with rejected as (

    select * from {{ ref('stg_landing__rejected_records') }}

),

masked as (

    select
        source,
        table_name,
        'staging' as stage,
        reject_reason as reason,
        source_file,
        source_line,
        source_key,
        landed_at,
        load_id,
        length(payload) as payload_length,
        {{ masked('substr(payload, 1, 500)') }} as payload
    from rejected

)

select * from masked
