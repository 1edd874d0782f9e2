{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['source', 'event_id']) }}

with events as (

    select * from {{ ref('int_events__owned') }}
    where {{ is_of_changed_visitor('visitor') }}

),

sessions as (

    select * from {{ ref('int_events__sessionized') }}

),

joined as (

    select
        events.event_id,
        events.source,
        events.event_name,
        events.event_kind,
        events.event_at,
        events.known_at,
        events.anonymous_id,
        events.customer_id,
        events.attributed_at,
        sessions.session_id,
        events.product_id,
        events.order_id as source_order_id,
        events.quantity,
        events.position as list_position,
        events.list_id,
        events.campaign_name,
        events.device_type,
        events.bot_reason is not null as is_bot,
        events.bot_reason
    from events
    left join sessions
        on events.source = sessions.source
        and events.event_id = sessions.event_id

)

select * from joined
