{{ config(materialized='incremental', unique_key='known_date') }}

-- On how many sessions' starts a customer's days add up, as changes by the day they became known: an event that
-- becomes known late may join two sessions, one that is taken back may part them.
with changed_customers as (

    select customer_id
    from {{ ref('int_events__attributed') }}
    where known_date >= {{ replaced_from('known_date') }}
    group by customer_id

),

moments as (

    select
        customer_id,
        event_at,
        known_date,
        sum(change) as change
    from {{ ref('int_events__attributed') }}
    where customer_id in (select customer_id from changed_customers)
    group by customer_id, event_at, known_date

),

-- A visit is all that could ever be one session.
visits as (

    {{ cut_at_pauses('moments', 'customer_id', 'visited_at') }}

),

days as (

    select
        customer_id,
        visited_at,
        known_date,
        lead(known_date) over (partition by customer_id, visited_at order by known_date) as next_known_date,
        count(*) over (partition by customer_id, visited_at) as days_known
    from visits
    group by customer_id, visited_at, known_date

),

-- Most visits became known on one day: they are a session. The others, as they were known after each such day.
known as (

    select
        days.customer_id,
        days.visited_at,
        days.known_date,
        days.next_known_date,
        visits.event_at
    from days
    inner join visits
        on days.customer_id = visits.customer_id
        and days.visited_at = visits.visited_at
        and days.known_date >= visits.known_date
    where days.days_known > 1
    group by days.customer_id, days.visited_at, days.known_date, days.next_known_date, visits.event_at
    having sum(visits.change) > 0

),

preceded as (

    select
        known.*,
        lag(event_at) over (partition by customer_id, visited_at, known_date order by event_at) as previous_event_at
    from known

),

starts as (

    select
        customer_id,
        cast(visited_at as date) as event_date,
        known_date,
        next_known_date
    from days
    where days_known = 1

    union all

    select
        customer_id,
        cast(event_at as date) as event_date,
        known_date,
        next_known_date
    from preceded
    where {{ begins_session() }}

),

changes as (

    select
        customer_id,
        event_date,
        known_date,
        1 as sessions
    from starts

    union all

    select
        customer_id,
        event_date,
        next_known_date as known_date,
        -1 as sessions
    from starts
    where next_known_date is not null

)

select
    customer_id,
    event_date,
    known_date,
    cast(sum(sessions) as bigint) as sessions
from changes
where known_date >= {{ replaced_from('known_date') }}
group by customer_id, event_date, known_date
having sum(sessions) <> 0
