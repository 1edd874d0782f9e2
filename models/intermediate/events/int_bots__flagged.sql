{{ config(materialized='incremental', unique_key='flagged_date') }}

-- Devices that made more events in a minute than any person can, and since which day that is known.
with recent as (

    select device_id from {{ ref('int_events__unioned') }}
    where known_date >= {{ replaced_from('flagged_date') }}

),

-- Nobody else can have become one since the model was last built.
events as (

    select
        device_id,
        event_at,
        event_date,
        known_date
    from {{ ref('int_events__unioned') }}
    where
        device_id is not null
        and not is_declared_bot
        and device_id in (select device_id from recent)

),

busy as (

    select device_id
    from events
    group by device_id, event_date
    -- Of a minute around midnight, at least half lies on one side.
    having 2 * count(*) >= {{ var('bot_events_per_minute') }}

),

suspects as (

    select events.*
    from events
    semi join busy on events.device_id = busy.device_id

),

-- What was known of a device after each day: a late event may be the one too many.
days as (

    select
        device_id,
        known_date
    from suspects
    group by device_id, known_date

),

rates as (

    select
        days.device_id,
        days.known_date,
        suspects.event_at,
        lag(suspects.event_at, {{ var('bot_events_per_minute') - 1 }}) over (
            partition by days.device_id, days.known_date
            order by suspects.event_at
        ) as minute_started_at
    from days
    inner join suspects
        on days.device_id = suspects.device_id
        and days.known_date >= suspects.known_date

)

select
    device_id,
    min(known_date) as flagged_date
from rates
where event_at - minute_started_at < interval 1 minute
group by device_id
having min(known_date) >= {{ replaced_from('flagged_date') }}
