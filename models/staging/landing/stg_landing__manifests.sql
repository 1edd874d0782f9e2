with manifests as (

    {% for source_name in var('landed_tables') | map(attribute='source') | unique %}
    select
        run_id,
        source,
        table_name,
        source_file,
        bytes,
        records_read,
        records_landed,
        records_unchanged,
        columns,
        error,
        {{ utc_instant('started_at') }} as started_at,
        {{ utc_instant('landed_at') }} as landed_at,
        _dlt_load_id as load_id
    from {{ source('raw_' ~ source_name, 'manifest') }}
    where _dlt_load_id in (
            select load_id from {{ source('raw_' ~ source_name, '_dlt_loads') }}
            where status = 0
        )
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from manifests
