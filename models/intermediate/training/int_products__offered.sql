-- What could be recommended on a day with queries: every product known by then, unless the catalog had dropped it.
with days as (

    select
        feature_at,
        feature_date
    from {{ ref('int_queries__asked') }}
    group by feature_at, feature_date

),

listed as (

    select
        product_id,
        min(feed_date) as first_listed_date
    from {{ ref('int_products__versioned') }}
    group by product_id

),

offered as (

    select
        features.product_id,
        features.feature_at,
        features.category,
        features.popularity_rank_7d,
        features.category_rank_7d
    from {{ ref('product_features') }} as features
    inner join days on features.feature_at = days.feature_at
    left join listed on features.product_id = listed.product_id
    left join {{ ref('int_products__ranked') }} as feeds
        on features.product_id = feeds.product_id
        and days.feature_date = {{ days_after('feeds.listed_date', 1) }}
    where
        feeds.product_id is not null
        or listed.first_listed_date is null
        or listed.first_listed_date >= days.feature_date

)

select
    product_id,
    feature_at,
    category,
    row_number() over (partition by feature_at order by popularity_rank_7d, product_id) as place,
    row_number() over (partition by feature_at, category order by category_rank_7d, product_id) as category_place,
    count(*) over (partition by feature_at) as offered_products
from offered
