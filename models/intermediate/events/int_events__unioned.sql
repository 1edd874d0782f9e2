{{ config(materialized='view') }}

with unioned as (

    {% for source_name in var('event_sources') %}
    select
        '{{ source_name }}' as source,
        event_id,
        event_name,
        event_at,
        known_at,
        anonymous_id,
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
        is_declared_bot
    from {{ ref('stg_' ~ source_name ~ '__events') }}
    where record_status = 'accepted'
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

kinds as (

    select * from {{ ref('event_kinds') }}

),

named as (

    select
        unioned.*,
        coalesce(kinds.event_kind, 'other') as event_kind
    from unioned
    left join kinds on unioned.event_name = kinds.event_name

)

select * from named
