{{ config(materialized='incremental', unique_key='listed_date') }}

-- One row a product and day: what the last feed before or on that day says, and where the price lies within its category.
with versions as (

    select * from {{ ref('int_products__versioned') }}

),

days as (

    select
        {{ days_after('feeds.feed_date', 'offsets.day_number') }} as listed_date,
        feeds.feed_date
    from (
        select
            feed_date,
            cast(min(valid_to) as date) as next_feed_date
        from versions
        group by feed_date
    ) as feeds
    cross join {{ ref('int_feature_spine__last_day') }} as last_day
    inner join range(0, 10000) as offsets (day_number)
        on offsets.day_number
        < {{ days_between('feeds.feed_date', 'least(feeds.next_feed_date, last_day.known_until_date)') }}
        and {{ days_after('feeds.feed_date', 'offsets.day_number') }} >= {{ replaced_from('listed_date') }}
    -- With a catalog and nothing else there is no last day.
    where last_day.known_until_date is not null

),

-- From 0 for the cheapest to a million for the dearest.
ranked as (

    select
        product_id,
        feed_date,
        category,
        brand,
        cast(round(1000000 * percent_rank() over category_prices) as bigint) as price_rank,
        price is not null as has_price
    from versions
    where feed_date in (select feed_date from days)
    window category_prices as (partition by feed_date, category, price is null order by price)

)

select
    ranked.product_id,
    days.listed_date,
    ranked.category,
    ranked.brand,
    case when ranked.has_price then ranked.price_rank end as price_rank
from ranked
inner join days on ranked.feed_date = days.feed_date
