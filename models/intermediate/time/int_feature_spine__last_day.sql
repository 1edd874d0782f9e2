{{ config(materialized='view') }}

-- The day after the last day of which anything is known: what a service asks for now.
with known as (

    select max(known_at) as known_at from {{ ref('int_events__unioned') }}
    union all
    select max(known_at) as known_at from {{ ref('int_orders__unioned') }}

)

select {{ days_after('cast(max(known_at) as date)', 1) }} as feature_date
from known
