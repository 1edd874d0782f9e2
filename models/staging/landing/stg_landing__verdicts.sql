with verdicts as (

    {% for landed in var('landed_tables') %}
    select
        '{{ landed.source }}' as source,
        '{{ landed.table }}' as table_name,
        source_file,
        load_id,
        record_status,
        reject_reason,
        count(*) as records
    from {{ ref(landed.model) }}
    group by source_file, load_id, record_status, reject_reason
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from verdicts
