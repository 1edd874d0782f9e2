{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['source', 'event_id']) }}

with events as (

    select
        source,
        event_id,
        event_at,
        visitor,
        bot_reason
    from {{ ref('int_events__owned') }}
    where {{ is_of_changed_visitor('visitor') }}

),

gaps as (

    select
        source,
        event_id,
        event_at,
        visitor,
        lag(event_at) over visitor_events as previous_event_at
    from events
    where bot_reason is null
    window visitor_events as (partition by visitor order by event_at, source, event_id)

),

starts as (

    select
        gaps.*,
        case when {{ begins_session() }} then event_at end as session_start
    from gaps

),

-- A session bears the name of its first event.
sessions as (

    select
        source,
        event_id,
        max(session_start) over so_far as session_started_at,
        max_by(event_id, session_start) over so_far as session_id
    from starts
    window so_far as (
        partition by visitor
        order by event_at, source, event_id
        rows between unbounded preceding and current row
    )

)

select
    source,
    event_id,
    session_started_at,
    session_id
from sessions

union all

-- An event may turn out to be a bot's later.
select
    source,
    event_id,
    null as session_started_at,
    null as session_id
from events
where bot_reason is not null
