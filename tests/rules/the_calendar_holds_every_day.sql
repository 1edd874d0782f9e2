-- A day that is missing from dim_dates is missing from every metric.
with calendar as (

    select date_day from {{ ref('dim_dates') }}

),

told as (

    select
        'fct_orders' as told_by,
        cast(ordered_at as date) as told_date
    from {{ ref('fct_orders') }}
    union all
    select
        'fct_events' as told_by,
        cast(event_at as date) as told_date
    from {{ ref('fct_events') }}

)

select
    told.told_by,
    told.told_date,
    count(*) as rows_left_out
from told
left join calendar on told.told_date = calendar.date_day
where calendar.date_day is null
group by told.told_by, told.told_date
