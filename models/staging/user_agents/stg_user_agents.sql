{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail') }}

with user_agents as (
    {% for source_name in var('event_sources') %}
    select user_agent from {{ ref('stg_' ~ source_name ~ '__events') }}
    where user_agent is not null
    {{ 'union' if not loop.last }}
    {% endfor %}
)

select
    user_agent,
    {{ is_crawler('user_agent') }} as is_crawler
from user_agents
{%- if is_incremental() %}
where user_agent not in (select user_agent from {{ this }})
{%- endif %}
