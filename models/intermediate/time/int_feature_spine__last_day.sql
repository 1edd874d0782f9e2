{{ config(materialized='view') }}

-- The day that a service asks for now: the one after the last of which anything is known, but none whose midnight had not
-- come when that landed. What a run at three in the morning knows of the day that has begun is for tomorrow.
with known as (

    select max(known_at) as known_at from {{ ref('int_events__unioned') }}
    union all
    select max(known_at) as known_at from {{ ref('int_orders__unioned') }}

),

until as (

    select {{ days_after('cast(max(known_at) as date)', 1) }} as known_until_date
    from known

),

landed as (

    select cast(max(landed_at) as date) as landed_date
    from {{ ref('int_arrivals__daily') }}

)

select
    -- `least` passes over a null: where nothing is known, there is no day.
    case when until.known_until_date is not null then least(until.known_until_date, landed.landed_date) end as feature_date,
    until.known_until_date
from until
cross join landed
