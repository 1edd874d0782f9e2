{{ config(materialized='incremental', unique_key='feature_at') }}

-- One row a customer and day of the spine: what the CRM said of them when the day began, and what their orders make them.
with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

orders as (

    select * from {{ ref('int_customer_orders__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

history as (

    select * from {{ ref('dim_customers_history') }}

),

scored as (

    select
        spine.customer_id,
        spine.feature_at,
        history.lifecycle_stage,
        history.country_code,
        coalesce(history.has_loyalty_card, false) or spine.customer_id like 'card-%' as has_loyalty_card,
        coalesce(cast(orders.revenue_minor_lifetime as double) / 100, 0) as revenue_lifetime,
        coalesce(orders.orders_lifetime, 0) as orders_lifetime,
        case
            when spine.feature_date <= {{ days_after('orders.last_order_date', var('rfm_recency_days')[1]) }} then 3
            when spine.feature_date <= {{ days_after('orders.last_order_date', var('rfm_recency_days')[0]) }} then 2
            else 1
        end as recency_score,
        case
            when orders.orders_lifetime >= {{ var('rfm_orders')[1] }} then 3
            when orders.orders_lifetime >= {{ var('rfm_orders')[0] }} then 2
            else 1
        end as frequency_score,
        case
            when orders.revenue_minor_lifetime >= {{ 100 * var('rfm_revenue')[1] }} then 3
            when orders.revenue_minor_lifetime >= {{ 100 * var('rfm_revenue')[0] }} then 2
            else 1
        end as monetary_score
    from spine
    left join orders
        on spine.customer_id = orders.customer_id
        and spine.feature_at = orders.feature_at
    left join history
        on spine.customer_id = history.customer_id
        and spine.feature_at > history.valid_from
        and spine.feature_at <= history.valid_to

),

tiers as (

    select * from {{ ref('loyalty_tiers') }}

),

tiered as (

    select
        scored.customer_id,
        scored.feature_at,
        max_by(tiers.loyalty_tier, tiers.minimum_revenue) as loyalty_tier
    from scored
    inner join tiers on scored.revenue_lifetime >= tiers.minimum_revenue
    where scored.has_loyalty_card
    group by scored.customer_id, scored.feature_at

)

select
    scored.customer_id,
    scored.feature_at,
    scored.lifecycle_stage,
    scored.country_code,
    case when scored.orders_lifetime = 0 then 'prospect' else segments.rfm_segment end as rfm_segment,
    coalesce(tiered.loyalty_tier, case when scored.has_loyalty_card then 'bronze' end, 'none') as loyalty_tier
from scored
left join {{ ref('rfm_segments') }} as segments
    on scored.recency_score = segments.recency_score
    and scored.frequency_score = segments.frequency_score
    and scored.monetary_score = segments.monetary_score
left join tiered
    on scored.customer_id = tiered.customer_id
    and scored.feature_at = tiered.feature_at
