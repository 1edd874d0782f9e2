{{ config(materialized='view') }}

-- Pairs of products change slowly: they are counted every seventh day, counted from Monday 1970-01-05, and on the last day.
with known as (

    select
        min(known_date) as first_date,
        max(known_date) as last_date
    from {{ ref('int_arrivals__daily') }}

),

last_day as (

    select * from {{ ref('int_feature_spine__last_day') }}

),

mondays as (

    select {{ days_after("date '1970-01-05'", '7 * weeks.week_number') }} as feature_date
    from range(0, 10000) as weeks (week_number)

),

days as (

    select mondays.feature_date
    from mondays
    cross join known
    cross join last_day
    where
        mondays.feature_date > known.first_date
        and mondays.feature_date < last_day.feature_date

    union all

    select feature_date from last_day
    where feature_date is not null

)

select
    cast(feature_date as timestamp) as feature_at,
    feature_date
from days
