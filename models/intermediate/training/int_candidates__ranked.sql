-- What each source proposes for a query, by what was known when its day began.
with queries as (

    select
        query_id,
        customer_id,
        feature_at
    from {{ ref('int_queries__asked') }}

),

offered as (

    select * from {{ ref('int_products__offered') }}

),

known_products as (

    select
        queries.query_id,
        queries.feature_at,
        features.product_id,
        features.views_30d,
        features.orders_90d,
        features.days_since_view,
        features.days_since_order,
        row_number() over (
            partition by queries.query_id
            order by features.days_since_view asc nulls last, features.views_30d desc, features.product_id asc
        ) as view_place
    from queries
    inner join {{ ref('customer_product_features') }} as features
        on queries.customer_id = features.customer_id
        and queries.feature_at = features.feature_at

),

-- Pairs are counted every seventh day: those of the last such day.
pair_days as (

    select
        queries.feature_at,
        max(pairs.feature_at) as pairs_at
    from queries
    inner join {{ ref('int_feature_spine__pairs') }} as pairs on queries.feature_at >= pairs.feature_at
    group by queries.feature_at

),

scored as (

    select
        query_id,
        product_id,
        'repurchase' as source,
        orders_90d + cast(1 as double) / days_since_order as score
    from known_products
    where orders_90d > 0

    union all

    select
        known_products.query_id,
        pairs.related_product_id as product_id,
        'co_visit' as source,
        -- In millionths, so that a sum is the same whatever its order.
        cast(sum(cast(round(1000000 * pairs.cosine / known_products.days_since_view) as bigint)) as double) / 1000000
            as score
    from known_products
    inner join pair_days on known_products.feature_at = pair_days.feature_at
    inner join {{ ref('product_pairs') }} as pairs
        on pair_days.pairs_at = pairs.feature_at
        and known_products.product_id = pairs.product_id
        and pairs.relation = 'view_view'
    where
        known_products.views_30d > 0
        and known_products.view_place <= 20
    group by known_products.query_id, pairs.related_product_id

    union all

    select
        queries.query_id,
        offered.product_id,
        'category' as source,
        categories.affinity_decayed / offered.category_place as score
    from queries
    inner join {{ ref('customer_category_features') }} as categories
        on queries.customer_id = categories.customer_id
        and queries.feature_at = categories.feature_at
        and categories.affinity_decayed > 0
    inner join offered
        on queries.feature_at = offered.feature_at
        and categories.category = offered.category
        and offered.category_place <= {{ var('candidates_per_source') }}

    union all

    select
        queries.query_id,
        offered.product_id,
        'popularity' as source,
        cast(1 as double) / offered.place as score
    from queries
    inner join offered
        on queries.feature_at = offered.feature_at
        and offered.place <= {{ var('candidates_per_source') }}

),

ranked as (

    select
        scored.query_id,
        scored.product_id,
        scored.source,
        scored.score as source_score,
        row_number() over (
            partition by scored.query_id, scored.source
            order by scored.score desc, scored.product_id asc
        ) as source_rank
    from scored
    inner join queries on scored.query_id = queries.query_id
    semi join offered
        on scored.product_id = offered.product_id
        and queries.feature_at = offered.feature_at

)

select * from ranked
where source_rank <= {{ var('candidates_per_source') }}
