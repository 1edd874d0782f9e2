{{ config(materialized='incremental', unique_key='feature_date', meta={'rows_stand': true}) }}
{#- Nothing known before has become another; who was known before has a row of the last day that was made. #}
{%- set new_from = 'least(' ~ replaced_from('known_date') ~ ', ' ~ days_after(replaced_from('feature_date'), -1) ~ ')' %}

with listed as (

    select
        product_id,
        min(known_at) as first_known_at
    from {{ ref('int_products__versioned') }}
    group by product_id

),

viewed as (

    select
        product_id,
        min(known_at) as first_known_at
    from {{ ref('int_events__unioned') }}
    where
        known_date >= {{ new_from }}
        and product_id is not null
        and allows_analytics
        and not is_declared_bot
    group by product_id

),

-- A line that is pending without a price is no sale yet.
sold as (

    select
        product_id,
        min(known_at) as first_known_at
    from {{ ref('int_order_changes__valued') }}
    where product_id is not null
    group by product_id

),

sightings as (

    select * from listed
    union all
    select * from viewed
    union all
    select * from sold
    {%- if is_incremental() %}
    union all
    select
        product_id,
        first_known_at
    from {{ this }}
    where
        feature_date = (select max(feature_date) from {{ this }})
        and first_known_at < {{ new_from }}
    {%- endif %}

),

products as (

    select
        product_id,
        min(first_known_at) as first_known_at,
        cast(min(first_known_at) as date) as first_known_date
    from sightings
    group by product_id

),

last_day as (

    select * from {{ ref('int_feature_spine__last_day') }}

),

-- Any product may be a candidate on any day that it is known: the spine has them all.
spine as (

    select
        products.product_id,
        cast({{ days_after('products.first_known_date', 'days.day_number') }} as timestamp) as feature_at,
        {{ days_after('products.first_known_date', 'days.day_number') }} as feature_date,
        products.first_known_at
    from products
    cross join last_day
    inner join range(1, 10000) as days (day_number)
        on days.day_number <= {{ days_between('products.first_known_date', 'last_day.feature_date') }}
        and {{ days_after('products.first_known_date', 'days.day_number') }} >= {{ replaced_from('feature_date') }}

)

select * from spine
