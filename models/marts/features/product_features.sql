{{ config(materialized='incremental', unique_key='feature_at', meta={'rows_stand': true}) }}

with spine as (

    select * from {{ ref('int_feature_spine__products') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

windowed as (

    select * from {{ ref('int_product_days__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

buyers as (

    select * from {{ ref('int_product_buyers__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

prices as (

    select * from {{ ref('int_product_prices__daily') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

ranks as (

    select * from {{ ref('int_product_ranks__counted') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

joined as (

    select
        spine.product_id,
        spine.feature_at,
        {% for window in ['1d', '7d', '30d', '90d'] %}
        coalesce(windowed.views_{{ window }}, 0) as views_{{ window }},
        coalesce(windowed.carts_{{ window }}, 0) as carts_{{ window }},
        coalesce(windowed.orders_{{ window }}, 0) as orders_{{ window }},
        coalesce(buyers.buyers_{{ window }}, 0) as buyers_{{ window }},
        coalesce(cast(windowed.revenue_minor_{{ window }} as double) / 100, 0) as revenue_{{ window }},
        {% endfor %}
        cast(windowed.carts_30d as double) / nullif(windowed.views_30d, 0) as view_to_cart_rate_30d,
        cast(least(windowed.web_orders_30d, windowed.carts_30d) as double) / nullif(windowed.carts_30d, 0)
            as cart_to_order_rate_30d,
        cast(windowed.clicks_30d as double) / nullif(windowed.impressions_30d, 0) as click_rate_30d,
        cast(windowed.returned_units_90d as double) / nullif(windowed.units_90d, 0) as return_rate_90d,
        cast(buyers.repeat_buyers_90d as double) / nullif(buyers.buyers_90d, 0) as repurchase_rate_90d,
        (cast(windowed.views_7d as double) / 7) / nullif(cast(windowed.views_30d as double) / 30, 0) as trend_ratio_7d_30d,
        {{ days_between('cast(spine.first_known_at as date)', 'spine.feature_date') }} as age_days,
        prices.category,
        prices.price,
        prices.price_vs_category,
        prices.price_change_30d,
        prices.in_stock_ratio_30d,
        ranks.popularity_rank_7d,
        ranks.category_rank_7d,
        coalesce(windowed.orders_90d, 0) = 0 as is_cold_start
    from spine
    left join windowed
        on spine.product_id = windowed.product_id
        and spine.feature_at = windowed.feature_at
    left join buyers
        on spine.product_id = buyers.product_id
        and spine.feature_at = buyers.feature_at
    left join prices
        on spine.product_id = prices.product_id
        and spine.feature_at = prices.feature_at
    left join ranks
        on spine.feature_at = ranks.feature_at
        and coalesce(prices.category, '') = ranks.category
        and coalesce(windowed.orders_7d, 0) = ranks.orders_7d
        and coalesce(windowed.views_7d, 0) = ranks.views_7d

)

select * from joined
