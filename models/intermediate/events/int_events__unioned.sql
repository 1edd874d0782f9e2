{{ config(materialized='incremental', unique_key='known_date') }}

with unioned as (

    {% for source_name in var('event_sources') %}
    select
        '{{ source_name }}' as source,
        event_id,
        event_name,
        event_at,
        known_at,
        anonymous_id,
        coalesce(device_id, anonymous_id) as device_id,
        user_id,
        product_id,
        order_id,
        quantity,
        position,
        list_id,
        products,
        referrer,
        campaign_source,
        campaign_medium,
        campaign_name,
        device_type,
        user_agent,
        allows_analytics,
        allows_personalization,
        is_declared_bot
    from {{ ref('stg_' ~ source_name ~ '__events') }}
    where
        record_status = 'accepted'
        and cast(known_at as date) >= {{ replaced_from('known_date') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

kinds as (

    select * from {{ ref('event_kinds') }}

),

user_agents as (

    select * from {{ ref('stg_user_agents') }}

),

named as (

    select
        unioned.source,
        unioned.event_id,
        unioned.event_name,
        coalesce(kinds.event_kind, 'other') as event_kind,
        unioned.event_at,
        unioned.known_at,
        cast(unioned.event_at as date) as event_date,
        cast(unioned.known_at as date) as known_date,
        unioned.anonymous_id,
        unioned.device_id,
        unioned.user_id,
        unioned.product_id,
        unioned.order_id,
        unioned.quantity,
        unioned.position,
        unioned.list_id,
        unioned.products,
        unioned.referrer,
        unioned.campaign_source,
        unioned.campaign_medium,
        unioned.campaign_name,
        unioned.device_type,
        coalesce(unioned.allows_analytics, true) as allows_analytics,
        coalesce(unioned.allows_personalization, true) as allows_personalization,
        coalesce(unioned.is_declared_bot or user_agents.is_crawler, false) as is_declared_bot
    from unioned
    left join kinds on unioned.event_name = kinds.event_name
    left join user_agents on unioned.user_agent = user_agents.user_agent

)

select * from named
