-- Each rejected record with what it said, to the letter: personal data and all, so it stays in staging.
with rejected as (

    {% for landed in var('landed_tables') %}
    select
        '{{ landed.source }}' as source,
        '{{ landed.table }}' as table_name,
        judged.reject_reason,
        judged.source_file,
        judged.source_line,
        judged.source_key,
        raw.content_hash,
        judged.landed_at,
        judged.load_id,
        {{ 'cast(to_json(raw) as string)' if landed.typed else 'raw.payload' }}
    from {{ ref(landed.model) }} as judged
    inner join {{ source('raw_' ~ landed.source, landed.table) }} as raw
        on judged.load_id = raw._dlt_load_id
        {%- if not landed.one_a_place %}
        and judged.content_hash = raw.content_hash
        {%- endif %}
        {%- if landed.typed %}
        and judged.source_key is not distinct from cast(raw.id as string)
        {%- else %}
        and judged.source_file = raw.source_file
        and judged.source_line is not distinct from raw.source_line
        and judged.source_key is not distinct from raw.source_key
        {%- endif %}
    where judged.record_status = 'rejected'
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from rejected
