with events as (

    select * from {{ ref('int_events__unioned') }}

),

links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type = 'anonymous_id'

),

-- A visitor is nobody until a login links them; their past becomes the customer's only then.
attributed as (

    select
        events.*,
        coalesce(events.user_id, links.customer_id) as customer_id,
        case
            when events.user_id is not null then events.known_at
            when links.customer_id is not null then greatest(events.known_at, links.linked_at)
        end as attributed_at
    from events
    left join links
        on events.user_id is null
        and events.anonymous_id = links.identifier
        and events.event_at >= links.valid_from
        and events.event_at < links.valid_to

)

select * from attributed
