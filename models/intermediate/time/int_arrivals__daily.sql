{{ config(materialized='incremental', incremental_strategy='replace_loads', post_hook="{{ create_build_log() }}") }}

-- What has landed when, and on which days it had become known: where features have to be computed anew. Events are judged
-- once, when they land: those of loads that are here already are not counted again.
with arrivals as (

    {% for table in var('landed_tables') if table.known_at is defined %}
    select
        '{{ table.source }}' as source,
        load_id,
        landed_at,
        cast({{ version_known_at(table) }} as date) as known_date,
        cast({{ 'null' if table.known_at == 'landed_at' else table.known_at }} as date) as happened_date
    from {{ ref(table.parsed | default(table.model)) }}
    where
        reject_reason is null
        {{ "or reject_reason = '" ~ table.withdrawn ~ "'" if table.withdrawn is defined }}
    {% if is_incremental() and table.source in sources_judged_once() -%}
        and load_id in (
            select distinct load_id from {{ ref(table.parsed) }}
            except
            select load_id from {{ this }}
            where source = '{{ table.source }}'
        )
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    source,
    load_id,
    min(landed_at) as landed_at,
    known_date,
    max(happened_date) as happened_date,
    count(*) as records
from arrivals
where known_date is not null
group by source, load_id, known_date
