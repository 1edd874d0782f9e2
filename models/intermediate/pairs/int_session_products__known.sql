{{ config(materialized='incremental', unique_key='known_date') }}

-- Which products were seen and ordered together in a session on one device, as changes: when something about a visit
-- becomes known, its sessions as they were known before are taken back (-1), and those that are known now added (1).
with changed_devices as (

    select device_id from {{ ref('int_device_moments__unioned') }}
    where known_date >= {{ replaced_from('known_date') }}

    union

    select device_id from {{ ref('int_bots__flagged') }}
    where flagged_date >= {{ replaced_from('known_date') }}

),

moments as (

    select * from {{ ref('int_device_moments__unioned') }}
    where device_id in (select device_id from changed_devices)

),

-- A visit is all that could ever be one session.
visits as (

    {{ cut_at_pauses('moments', 'device_id', 'visited_at') }}

),

visit_days as (

    select
        device_id,
        visited_at,
        known_date
    from visits
    group by device_id, visited_at, known_date

    union

    select
        visits.device_id,
        visits.visited_at,
        bots.flagged_date as known_date
    from visits
    inner join {{ ref('int_bots__flagged') }} as bots on visits.device_id = bots.device_id

),

days as (

    select
        visit_days.device_id,
        visit_days.visited_at,
        visit_days.known_date,
        lead(visit_days.known_date) over (
            partition by visit_days.device_id, visit_days.visited_at
            order by visit_days.known_date
        ) as next_known_date,
        count(*) over (partition by visit_days.device_id, visit_days.visited_at) as days_known,
        coalesce(visit_days.known_date >= bots.flagged_date, false) as is_bot
    from visit_days
    left join {{ ref('int_bots__flagged') }} as bots on visit_days.device_id = bots.device_id

),

-- Most visits became known on one day: they are a session. The others, as they were known after each such day.
known as (

    select
        days.device_id,
        days.visited_at,
        days.known_date,
        days.next_known_date,
        visits.event_at,
        visits.side,
        visits.product_id
    from days
    inner join visits
        on days.device_id = visits.device_id
        and days.visited_at = visits.visited_at
        and days.known_date >= visits.known_date
    where
        days.days_known > 1
        and not days.is_bot

),

known_sessions as (

    {{ cut_at_pauses('known', 'device_id, visited_at, known_date', 'session_started_at') }}

),

sessions as (

    select
        days.device_id,
        days.visited_at as session_started_at,
        days.known_date,
        days.next_known_date,
        visits.event_at,
        visits.side,
        visits.product_id
    from days
    inner join visits
        on days.device_id = visits.device_id
        and days.visited_at = visits.visited_at
    where
        days.days_known = 1
        and not days.is_bot

    union all

    select
        device_id,
        session_started_at,
        known_date,
        next_known_date,
        event_at,
        side,
        product_id
    from known_sessions

),

products as (

    select
        device_id,
        session_started_at,
        known_date,
        next_known_date,
        side,
        product_id,
        row_number() over (
            partition by device_id, session_started_at, known_date, side
            order by
                min(event_at),
                case when side = 'ordered' then {{ hashed_share("device_id || ' ' || product_id") }} end,
                product_id
        ) as place
    from sessions
    where product_id is not null
    group by device_id, session_started_at, known_date, next_known_date, side, product_id

),

changes as (

    select
        products.*,
        known_date as changed_date,
        1 as change
    from products

    union all

    select
        products.*,
        next_known_date as changed_date,
        -1 as change
    from products
    where next_known_date is not null

)

select
    device_id,
    session_started_at,
    cast(session_started_at as date) as event_date,
    changed_date as known_date,
    side,
    product_id,
    cast(change as bigint) as change
from changes
where
    place <= case
        when side = 'ordered' then {{ var('pair_products_per_order') }}
        else {{ var('pair_products_per_session') }}
    end
    and changed_date >= {{ replaced_from('known_date') }}
