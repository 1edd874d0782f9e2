{{ config(materialized='incremental', unique_key='feature_date') }}

with customers as (

    select * from {{ ref('int_customers__found') }}

),

successors as (

    select * from {{ ref('int_identity__successors') }}

),

last_day as (

    select * from {{ ref('int_feature_spine__last_day') }}

),

-- A training query is a customer at the start of a session; its features are those of that day's first moment.
-- Whose session it was must have been known on that day: a service could not have asked for a stranger.
session_days as (

    select
        customer_id,
        event_date as feature_date
    from {{ ref('int_customer_sessions__known') }}
    where
        event_date = known_date
        and sessions > 0

),

-- Who has only tills or a marketplace trains on the days of orders. A till tells of its day when that is over, which
-- may be the next day by UTC.
order_days as (

    select
        customer_id,
        event_date as feature_date
    from {{ ref('int_customer_orders__known') }}
    where
        known_date <= {{ days_after('event_date', 1) }}
        and orders > 0
    group by customer_id, event_date

),

-- Serving asks for every customer now.
serving_days as (

    select
        customers.customer_id,
        last_day.feature_date
    from customers
    cross join last_day

),

days as (

    select * from session_days
    union
    select * from order_days
    union
    select * from serving_days

),

spine as (

    select
        days.customer_id,
        cast(days.feature_date as timestamp) as feature_at,
        days.feature_date,
        customers.first_known_at
    from days
    inner join customers on days.customer_id = customers.customer_id
    left join successors on days.customer_id = successors.customer_id
    where
        days.feature_date >= {{ replaced_from('feature_date') }}
        and customers.first_known_at < cast(days.feature_date as timestamp)
        and (successors.succeeded_at is null or successors.succeeded_at >= cast(days.feature_date as timestamp))

)

select * from spine
