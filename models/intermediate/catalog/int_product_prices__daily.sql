{{ config(materialized='incremental', unique_key='feature_at', meta={'rows_stand': true}) }}

-- What the feeds told of a product before the day began: its last price, the first of a month, how often in stock.
with spine as (

    select * from {{ ref('int_feature_spine__products') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

versions as (

    select * from {{ ref('int_products__versioned') }}

),

-- The last feed that was out before each day began.
feeds as (

    select
        days.feature_date,
        max(feed_days.feed_date) as feed_date
    from (
        select feature_date from spine
        group by feature_date
    ) as days
    inner join (
        select feed_date from versions
        group by feed_date
    ) as feed_days
        on days.feature_date > feed_days.feed_date
    group by days.feature_date

),

windowed as (

    select
        versions.product_id,
        versions.feed_date,
        versions.category,
        versions.price,
        avg(cast(versions.is_in_stock as integer)) over last_month as in_stock_ratio_30d,
        min_by(versions.price, case when versions.price is not null then versions.feed_date end) over last_month
            as first_price_30d,
        median(versions.price) over (partition by versions.feed_date, versions.category) as category_price
    from versions
    where versions.feed_date >= (select {{ days_after('min(feed_date)', -29) }} from feeds)
    window last_month as (
        partition by versions.product_id
        order by {{ days_between("date '1970-01-01'", 'versions.feed_date') }}
        range between 29 preceding and current row
    )

),

joined as (

    select
        spine.product_id,
        spine.feature_at,
        windowed.category,
        windowed.price,
        windowed.in_stock_ratio_30d,
        (windowed.price - windowed.first_price_30d) / nullif(windowed.first_price_30d, 0) as price_change_30d,
        windowed.price / nullif(windowed.category_price, 0) as price_vs_category
    from spine
    inner join feeds on spine.feature_date = feeds.feature_date
    inner join windowed
        on spine.product_id = windowed.product_id
        and feeds.feed_date = windowed.feed_date

)

select * from joined
