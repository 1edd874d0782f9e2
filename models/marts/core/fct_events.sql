with events as (

    select * from {{ ref('int_events__attributed') }}

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
        coalesce(events.is_declared_bot, false) as is_bot
    from events
    left join sessions
        on events.source = sessions.source
        and events.event_id = sessions.event_id

)

select * from joined
