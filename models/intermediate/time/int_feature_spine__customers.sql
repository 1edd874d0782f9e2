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
        cast(event_at as date) as feature_date
    from {{ ref('int_session_starts__customers') }}
    where cast(known_at as date) = cast(event_at as date)
    group by customer_id, cast(event_at as date)

),

-- Who has only tills or a marketplace trains on the days of orders.
order_days as (

    select
        customer_id,
        event_date as feature_date
    from {{ ref('int_customer_orders__known') }}
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
        customers.first_known_at < cast(days.feature_date as timestamp)
        and (successors.succeeded_at is null or successors.succeeded_at >= cast(days.feature_date as timestamp))

)

select * from spine
