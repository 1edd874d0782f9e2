{{ config(materialized='view') }}

-- Events with the customer they belong to by all that is known now.
with events as (

    select * from {{ ref('int_events__unioned') }}

),

links as (

    select * from {{ ref('int_identity__links') }}
    where
        identifier_type = 'device'
        and unlinked_at = timestamp '9999-12-31 00:00:00'

),

bots as (

    select * from {{ ref('int_bots__flagged') }}

),

owned as (

    select
        events.*,
        coalesce(events.user_id, links.customer_id) as customer_id,
        -- Whoever is known is one visitor on all devices; who is not is one visitor a device.
        coalesce(
            'customer ' || coalesce(events.user_id, links.customer_id),
            'device ' || events.device_id
        ) as visitor,
        case
            when events.user_id is not null then events.known_at
            when links.customer_id is not null then greatest(events.known_at, links.linked_at)
        end as attributed_at,
        case
            when events.is_declared_bot then 'user_agent'
            when bots.device_id is not null then 'rate'
        end as bot_reason
    from events
    left join links
        on case when events.user_id is null then events.device_id end = links.identifier
        and events.event_at >= links.valid_from
        and events.event_at < links.valid_to
    left join bots on events.device_id = bots.device_id

)

select * from owned
