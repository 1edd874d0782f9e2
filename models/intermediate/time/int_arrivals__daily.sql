-- What has landed when, and on which days it had become known: where features have to be computed anew.
with arrivals as (

    {% for table in var('landed_tables') if table.known_at is defined %}
    select
        '{{ table.source }}' as source,
        load_id,
        min(landed_at) as landed_at,
        cast({{ table.known_at }} as date) as known_date,
        count(*) as records
    from
        {%- if table.version_of is defined %}
        (
            select
                load_id,
                landed_at,
                case
                    when row_number() over (partition by {{ table.version_of }} order by {{ table.changed_at }}, landed_at) > 1
                        then {{ table.changed_at }}
                    else {{ table.known_at }}
                end as {{ table.known_at }}
            from {{ ref(table.model) }}
            where reject_reason is null
        ) as versions
        {%- else %}
        {{ ref(table.parsed | default(table.model)) }}
    where reject_reason is null
        {%- endif %}
    group by load_id, cast({{ table.known_at }} as date)
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    source,
    load_id,
    min(landed_at) as landed_at,
    known_date,
    cast(sum(records) as bigint) as records
from arrivals
where known_date is not null
group by source, load_id, known_date
