{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

behaviour as (

    select * from {{ ref('int_customer_behaviour__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

orders as (

    select * from {{ ref('int_customer_orders__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tastes as (

    select * from {{ ref('int_customer_tastes__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

segments as (

    select * from {{ ref('int_customer_segments__daily') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

joined as (

    select
        spine.customer_id,
        spine.feature_at,
        {{ days_between('orders.last_order_date', 'spine.feature_date') }} as recency_days,
        -- Orders of a guest may turn out to be those of an account that is younger.
        {{ days_between(
            'least(cast(spine.first_known_at as date), orders.first_order_date)', 'spine.feature_date'
        ) }} as tenure_days,
        {% for window in ['1d', '7d', '30d', '90d'] %}
        coalesce(orders.orders_{{ window }}, 0) as orders_{{ window }},
        coalesce(cast(orders.revenue_minor_{{ window }} as double) / 100, 0) as revenue_{{ window }},
        coalesce(behaviour.views_{{ window }}, 0) as views_{{ window }},
        coalesce(behaviour.carts_{{ window }}, 0) as carts_{{ window }},
        coalesce(behaviour.sessions_{{ window }}, 0) as sessions_{{ window }},
        {% endfor %}
        cast(orders.ordered_minor_90d as double) / 100 / nullif(orders.orders_90d, 0) as average_order_value_90d,
        coalesce(orders.orders_lifetime, 0) as orders_lifetime,
        coalesce(cast(orders.revenue_minor_lifetime as double) / 100, 0) as revenue_lifetime,
        cast({{ days_between('orders.first_order_date', 'orders.last_order_date') }} as double)
        / nullif(orders.orders_lifetime - 1, 0) as days_between_orders_avg,
        cast(orders.returned_units_90d as double) / nullif(orders.units_90d, 0) as return_rate_90d,
        cast(behaviour.abandoned_days_30d as double) / nullif(behaviour.cart_days_30d, 0) as cart_abandon_rate_30d,
        cast(orders.discount_minor_90d as double) / nullif(orders.gross_minor_90d, 0) as discount_share_90d,
        coalesce(tastes.categories_90d, 0) as categories_90d,
        tastes.category_entropy_90d,
        tastes.top_category_90d,
        tastes.top_brand_90d,
        tastes.price_percentile_avg_90d,
        cast(behaviour.emails_opened_90d as double) / nullif(behaviour.emails_received_90d, 0) as email_open_rate_90d,
        cast(behaviour.emails_clicked_90d as double) / nullif(behaviour.emails_received_90d, 0) as email_click_rate_90d,
        cast(behaviour.app_events_30d as double) / nullif(behaviour.events_30d, 0) as app_share_30d,
        cast(behaviour.night_events_30d as double) / nullif(behaviour.events_30d, 0) as night_share_30d,
        segments.rfm_segment,
        segments.lifecycle_stage,
        segments.loyalty_tier,
        segments.country_code
    from spine
    left join behaviour
        on spine.customer_id = behaviour.customer_id
        and spine.feature_at = behaviour.feature_at
    left join orders
        on spine.customer_id = orders.customer_id
        and spine.feature_at = orders.feature_at
    left join tastes
        on spine.customer_id = tastes.customer_id
        and spine.feature_at = tastes.feature_at
    left join segments
        on spine.customer_id = segments.customer_id
        and spine.feature_at = segments.feature_at

)

select * from joined
