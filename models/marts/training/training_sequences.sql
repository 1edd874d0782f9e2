-- What a customer did with products before the day of a query, the last `sequence_length` of it, oldest first.
with queries as (

    select
        query_id,
        customer_id,
        feature_at,
        feature_date,
        split
    from {{ ref('int_queries__asked') }}

),

events as (

    select
        queries.query_id,
        queries.feature_at,
        events.product_id,
        events.event_kind,
        events.event_at,
        events.source || ' ' || events.event_id as event_key
    from queries
    inner join {{ ref('int_events__attributed') }} as events
        on queries.customer_id = events.customer_id
        and events.event_at < queries.feature_at
        and events.event_date >= {{ days_after('queries.feature_date', -90) }}
        and events.known_date < queries.feature_date
    where
        events.product_id is not null
        and events.event_kind in ('view', 'cart', 'cart_removal')
    group by
        queries.query_id,
        queries.feature_at,
        events.product_id,
        events.event_kind,
        events.event_at,
        events.source,
        events.event_id
    having sum(events.change) > 0

),

numbered as (

    select
        events.*,
        row_number() over (partition by query_id order by event_at desc, event_key desc) as events_back
    from events

),

sequences as (

    select
        query_id,
        {{ collected('product_id', '-events_back') }} as product_ids,
        {{ collected('event_kind', '-events_back') }} as event_kinds,
        -- To the beginning of the day that is asked about.
        {{ collected(
            'cast((' ~ epoch_microseconds('feature_at') ~ ' - ' ~ epoch_microseconds('event_at') ~ ') / 1000000 as bigint)',
            '-events_back'
        ) }} as seconds_before
    from numbered
    where events_back <= {{ var('sequence_length') }}
    group by query_id

)

select
    queries.query_id,
    queries.customer_id,
    queries.feature_at,
    queries.split,
    sequences.product_ids,
    sequences.event_kinds,
    sequences.seconds_before
from queries
inner join sequences on queries.query_id = sequences.query_id
