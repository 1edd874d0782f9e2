-- Which session starts were known when. A late event can join two sessions that were known as two:
-- from the moment it is known the second start is taken back, and not before.
with moments as (

    select
        customer_id,
        event_at,
        {{ epoch_microseconds('event_at') }} as event_us,
        min(attributed_at) as attributed_at
    from {{ ref('int_events__attributed') }}
    where
        customer_id is not null
        and not coalesce(is_declared_bot, false)
    group by customer_id, event_at

),

preceded as (

    select
        moments.*,
        min(attributed_at) over (
            partition by customer_id
            order by event_us
            range between {{ var('session_gap_minutes') * 60000000 }} preceding and 1 preceding
        ) as predecessor_attributed_at
    from moments

),

starts as (

    select
        customer_id,
        event_at,
        attributed_at as known_at,
        cast(1 as bigint) as sessions
    from preceded
    where predecessor_attributed_at is null or predecessor_attributed_at > attributed_at

    union all

    select
        customer_id,
        event_at,
        predecessor_attributed_at as known_at,
        cast(-1 as bigint) as sessions
    from preceded
    where predecessor_attributed_at > attributed_at

)

select * from starts
