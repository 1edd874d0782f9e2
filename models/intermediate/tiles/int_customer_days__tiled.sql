-- One row a customer, day of the event and day it became known: sums that any window can add up.
with event_days as (

    select
        customer_id,
        cast(event_at as date) as event_date,
        cast(attributed_at as date) as known_date,
        count_if(event_kind = 'view') as views,
        count_if(event_kind = 'cart') as carts,
        count(*) as events,
        count_if(source = 'mobile') as app_events
    from {{ ref('int_events__attributed') }}
    where
        customer_id is not null
        and not coalesce(is_declared_bot, false)
    group by customer_id, cast(event_at as date), cast(attributed_at as date)

),

session_days as (

    select
        customer_id,
        cast(event_at as date) as event_date,
        cast(known_at as date) as known_date,
        sum(sessions) as sessions
    from {{ ref('int_session_starts__customers') }}
    group by customer_id, cast(event_at as date), cast(known_at as date)

),

response_days as (

    select
        customer_id,
        cast(responded_at as date) as event_date,
        cast(attributed_at as date) as known_date,
        count_if(response_type = 'received') as emails_received,
        count_if(response_type = 'opened') as emails_opened,
        count_if(response_type = 'clicked') as emails_clicked
    from {{ ref('int_campaign_responses__attributed') }}
    where
        customer_id is not null
        and cast(attributed_at as date) <= cast(unattributed_at as date)
    group by customer_id, cast(responded_at as date), cast(attributed_at as date)

),

measures as (

    select
        customer_id,
        event_date,
        known_date,
        views,
        carts,
        events,
        app_events,
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
        0 as events,
        0 as app_events,
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
        0 as events,
        0 as app_events,
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
    cast(sum(events) as bigint) as events,
    cast(sum(app_events) as bigint) as app_events,
    cast(sum(sessions) as bigint) as sessions,
    cast(sum(emails_received) as bigint) as emails_received,
    cast(sum(emails_opened) as bigint) as emails_opened,
    cast(sum(emails_clicked) as bigint) as emails_clicked
from measures
group by customer_id, event_date, known_date
