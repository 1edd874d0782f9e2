{{ config(materialized='incremental', incremental_strategy='replace_from', unique_key='known_date', on_schema_change='fail') }}

-- One row a customer, day of the event and day it became known: sums that any window can add up.
{%- set measures = [
    'views', 'carts', 'order_events', 'events', 'app_events', 'night_events', 'sessions',
    'emails_received', 'emails_opened', 'emails_clicked'
] %}
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
        sum(case when extract(hour from event_at) >= 22 or extract(hour from event_at) < 6 then change else 0 end) as night_events
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

    {%- for relation, its_measures in {
        'event_days': ['views', 'carts', 'order_events', 'events', 'app_events', 'night_events'],
        'session_days': ['sessions'],
        'response_days': ['emails_received', 'emails_opened', 'emails_clicked']
    }.items() %}
    select
        customer_id,
        event_date,
        known_date,
        {%- for measure in measures %}
        {{ measure if measure in its_measures else '0 as ' ~ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    customer_id,
    event_date,
    known_date,
    {%- for measure in measures %}
    cast(sum({{ measure }}) as bigint) as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
from measured
group by customer_id, event_date, known_date
