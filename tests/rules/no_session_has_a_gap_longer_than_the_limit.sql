-- Within a session no two events in a row lie further apart than the limit.
with gaps as (

    select
        session_id,
        event_at,
        lag(event_at) over (partition by session_id order by event_at, source, event_id) as previous_event_at
    from {{ ref('fct_events') }}
    where session_id is not null

)

select
    session_id,
    previous_event_at,
    event_at
from gaps
where event_at - previous_event_at > interval '{{ var("session_gap_minutes") }}' minute
