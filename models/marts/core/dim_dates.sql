-- Days are counted from the first to the last of which anything is told.
with moments as (

    select
        min(event_at) as first_at,
        max(event_at) as last_at
    from {{ ref('fct_events') }}

    union all

    select
        min(ordered_at) as first_at,
        max(ordered_at) as last_at
    from {{ ref('fct_orders') }}

    union all

    select
        min(responded_at) as first_at,
        max(responded_at) as last_at
    from {{ ref('fct_campaign_responses') }}

    union all

    select
        min(first_known_at) as first_at,
        max(first_known_at) as last_at
    from {{ ref('dim_customers') }}

),

span as (

    select
        cast(min(first_at) as date) as first_date,
        cast(max(last_at) as date) as last_date
    from moments

),

days as (

    select {{ days_after('span.first_date', 'days.day_number') }} as date_day
    from span
    inner join range(0, 40000) as days (day_number)
        on days.day_number <= {{ days_between('span.first_date', 'span.last_date') }}

)

select
    date_day,
    cast(({{ days_between("date '0001-01-01'", 'date_day') }}) % 7 + 1 as integer) as iso_weekday
from days
