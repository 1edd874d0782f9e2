{{ config(materialized='incremental', unique_key='known_date') }}

-- One row a customer, day of the event and day it became known: sums that any window can add up.
with event_days as (

    select
        customer_id,
        event_date,
        known_date,
        sum(case when event_kind = 'view' then change else 0 end) as views,
        sum(case when event_kind = 'cart' then change else 0 end) as carts,
        sum(case when event_kind = 'order' then change else 0 end) as order_events,
        sum(change) as events,
        sum(case when source = 'mobile' then change else 0 end) as app_events,
        sum(case when extract(hour from event_at) between 6 and 21 then 0 else change end) as night_events
    from {{ ref('int_events__attributed') }}
    where known_date >= {{ replaced_from('known_date') }}
    group by customer_id, event_date, known_date

),

session_days as (

    select
        customer_id,
        event_date,
        known_date,
        sessions
    from {{ ref('int_customer_sessions__known') }}
    where known_date >= {{ replaced_from('known_date') }}

),

responses as (

    select
        customer_id,
        response_type,
        cast(responded_at as date) as event_date,
        cast(attributed_at as date) as attributed_date,
        cast(unattributed_at as date) as unattributed_date
    from {{ ref('int_campaign_responses__attributed') }}
    where
        customer_id is not null
        and cast(attributed_at as date) < cast(unattributed_at as date)

),

response_changes as (

    select
        customer_id,
        response_type,
        event_date,
        attributed_date as known_date,
        1 as change
    from responses

    union all

    select
        customer_id,
        response_type,
        event_date,
        unattributed_date as known_date,
        -1 as change
    from responses
    where unattributed_date < date '9999-12-31'

),

response_days as (

    select
        customer_id,
        event_date,
        known_date,
        sum(case when response_type = 'received' then change else 0 end) as emails_received,
        sum(case when response_type = 'opened' then change else 0 end) as emails_opened,
        sum(case when response_type = 'clicked' then change else 0 end) as emails_clicked
    from response_changes
    where known_date >= {{ replaced_from('known_date') }}
    group by customer_id, event_date, known_date

),

measured as (

    select
        customer_id,
        event_date,
        known_date,
        views,
        carts,
        order_events,
        events,
        app_events,
        night_events,
        0 as sessions,
        0 as emails_received,
        0 as emails_opened,
        0 as emails_clicked
    from event_days

    union all

    select
        customer_id,
        event_date,
        known_date,
        0 as views,
        0 as carts,
        0 as order_events,
        0 as events,
        0 as app_events,
        0 as night_events,
        sessions,
        0 as emails_received,
        0 as emails_opened,
        0 as emails_clicked
    from session_days

    union all

    select
        customer_id,
        event_date,
        known_date,
        0 as views,
        0 as carts,
        0 as order_events,
        0 as events,
        0 as app_events,
        0 as night_events,
        0 as sessions,
        emails_received,
        emails_opened,
        emails_clicked
    from response_days

)

select
    customer_id,
    event_date,
    known_date,
    cast(sum(views) as bigint) as views,
    cast(sum(carts) as bigint) as carts,
    cast(sum(order_events) as bigint) as order_events,
    cast(sum(events) as bigint) as events,
    cast(sum(app_events) as bigint) as app_events,
    cast(sum(night_events) as bigint) as night_events,
    cast(sum(sessions) as bigint) as sessions,
    cast(sum(emails_received) as bigint) as emails_received,
    cast(sum(emails_opened) as bigint) as emails_opened,
    cast(sum(emails_clicked) as bigint) as emails_clicked
from measured
group by customer_id, event_date, known_date
