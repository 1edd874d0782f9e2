{{ config(materialized='incremental', unique_key='feature_at', meta={'rows_stand': true}) }}

-- Products of a day with as many orders and as many views share a rank: there are a tenth as many such numbers as products.
with windowed as (

    select * from {{ ref('int_product_days__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

prices as (

    select * from {{ ref('int_product_prices__daily') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

counted as (

    select
        windowed.feature_at,
        coalesce(prices.category, '') as category,
        windowed.orders_7d,
        windowed.views_7d,
        count(*) as products
    from windowed
    left join prices
        on windowed.product_id = prices.product_id
        and windowed.feature_at = prices.feature_at
    group by windowed.feature_at, coalesce(prices.category, ''), windowed.orders_7d, windowed.views_7d

),

-- Behind how many a product stands, of all and of its category.
all_ranked as (

    select
        feature_at,
        orders_7d,
        views_7d,
        coalesce(
            sum(sum(products)) over (
                partition by feature_at
                order by orders_7d desc, views_7d desc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as products_before
    from counted
    group by feature_at, orders_7d, views_7d

),

category_ranked as (

    select
        counted.*,
        coalesce(
            sum(products) over (
                partition by feature_at, category
                order by orders_7d desc, views_7d desc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as products_before
    from counted

)

select
    category_ranked.feature_at,
    category_ranked.category,
    category_ranked.orders_7d,
    category_ranked.views_7d,
    cast(1 + all_ranked.products_before as bigint) as popularity_rank_7d,
    cast(1 + category_ranked.products_before as bigint) as category_rank_7d
from category_ranked
inner join all_ranked
    on category_ranked.feature_at = all_ranked.feature_at
    and category_ranked.orders_7d = all_ranked.orders_7d
    and category_ranked.views_7d = all_ranked.views_7d
