{{ config(materialized='incremental', unique_key='feature_at') }}

-- One row a customer and day of the spine: how many categories, which before all others, which brand, how dear.
with categories as (

    select * from {{ ref('int_customer_categories__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

products as (

    select * from {{ ref('int_customer_products__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

-- n * ln(n) in thousand-millionths: as whole numbers they add up to the same in any order.
category_tastes as (

    select
        customer_id,
        feature_at,
        cast(count_if(views_90d > 0) as bigint) as categories_90d,
        sum(views_90d) as views,
        sum(case when views_90d > 0 then cast(round(1e9 * views_90d * ln(cast(views_90d as double))) as bigint) else 0 end)
            as views_times_log,
        max(affinity_micro) as top_affinity
    from categories
    group by customer_id, feature_at

),

-- Of equals, the first by name.
top_categories as (

    select
        categories.customer_id,
        categories.feature_at,
        min(categories.category) as top_category_90d
    from categories
    inner join category_tastes
        on categories.customer_id = category_tastes.customer_id
        and categories.feature_at = category_tastes.feature_at
        and categories.affinity_micro = category_tastes.top_affinity
    where categories.affinity_micro > 0
    group by categories.customer_id, categories.feature_at

),

brands as (

    select
        customer_id,
        feature_at,
        brand,
        sum(affinity_micro) as affinity_micro
    from products
    where brand is not null
    group by customer_id, feature_at, brand

),

top_brands as (

    select
        customer_id,
        feature_at,
        brand as top_brand_90d,
        row_number() over (partition by customer_id, feature_at order by affinity_micro desc, brand asc) as place
    from brands
    where affinity_micro > 0

),

prices as (

    select
        customer_id,
        feature_at,
        cast(sum(price_rank_sum) as bigint) as price_rank_sum,
        cast(sum(ranked_views) as bigint) as ranked_views
    from products
    group by customer_id, feature_at

)

select
    prices.customer_id,
    prices.feature_at,
    coalesce(category_tastes.categories_90d, 0) as categories_90d,
    round(
        ln(cast(nullif(category_tastes.views, 0) as double))
        - cast(category_tastes.views_times_log as double) / 1e9 / nullif(category_tastes.views, 0),
        9
    ) as category_entropy_90d,
    top_categories.top_category_90d,
    top_brands.top_brand_90d,
    cast(prices.price_rank_sum as double) / 1000000 / nullif(prices.ranked_views, 0) as price_percentile_avg_90d
from prices
left join category_tastes
    on prices.customer_id = category_tastes.customer_id
    and prices.feature_at = category_tastes.feature_at
left join top_categories
    on prices.customer_id = top_categories.customer_id
    and prices.feature_at = top_categories.feature_at
left join top_brands
    on prices.customer_id = top_brands.customer_id
    and prices.feature_at = top_brands.feature_at
    and top_brands.place = 1
