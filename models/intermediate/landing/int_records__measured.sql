{%- set late_after = var('late_after_hours') * 60 * 60 * 1000000 -%}
with measured as (

    {% for landed in var('landed_tables') %}
    {%- set quality = var('quality').get(landed.source ~ '.' ~ landed.table, {}) -%}
    {%- set filled = quality.get('filled', []) -%}
    {%- set found_in = quality.get('found_in', {}) -%}
    {%- set known_at = landed.known_at | default('landed_at') -%}
    {%- set changed_at = landed.changed_at if landed.changed_at | default('landed_at') != 'landed_at' else known_at -%}
    {%- set happened_at = quality.get('happened_at', known_at) %}
    select
        '{{ landed.source }}' as source,
        '{{ landed.table }}' as table_name,
        judged.source_file,
        judged.load_id,
        judged.record_status,
        judged.reject_reason,
        -- A clock that was never set says nothing of the day.
        case
            when judged.{{ changed_at }} between date '{{ var('earliest_date') }}' and judged.landed_at
                then cast(judged.{{ changed_at }} as date)
        end as record_date,
        min(judged.landed_at) as landed_at,
        count(*) as records,
        cast(count_if(
            {{ epoch_microseconds('cast(judged.' ~ known_at ~ ' as timestamp)') }}
            > {{ epoch_microseconds('cast(judged.' ~ happened_at ~ ' as timestamp)') }} + {{ late_after }}
        ) as bigint) as records_known_late,
        cast({{ filled | length }} * count(*) as bigint) as values_expected,
        cast(
            0
            {%- for name in filled %}
            + count(judged.{{ name }})
            {%- endfor %}
            as bigint
        ) as values_filled,
        cast(
            0
            {%- for name in found_in %}
            + count(case when {{ name }}_keys.number > 0 then judged.{{ name }} end)
            {%- endfor %}
            as bigint
        ) as keys_given,
        cast(
            0
            {%- for name in found_in %}
            + count({{ name }}_known.found_key)
            {%- endfor %}
            as bigint
        ) as keys_found
    from {{ ref(landed.model) }} as judged
    {% for name, key in found_in.items() -%}
    {%- set model, column = key.split('.') -%}
    -- Where nothing of what it speaks of has landed, nothing can be said.
    cross join (select count(*) as number from {{ ref(model) }}) as {{ name }}_keys
    left join (
        select {{ column }} as found_key
        from {{ ref(model) }}
        where record_status = 'accepted'
        group by found_key
    ) as {{ name }}_known
        on judged.{{ name }} = {{ name }}_known.found_key
    {% endfor -%}
    group by judged.source_file, judged.load_id, judged.record_status, judged.reject_reason, record_date
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from measured
