{{ config(materialized='incremental', unique_key='feature_at') }}

-- One row a customer, product and day of the spine, for products with which something happened in the 90 days before.
with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_customer_product_days__tiled') }}
    where event_date >= {{ first_event_day() }}

),

day_versions as (

    {{ day_versions(
        'tiles', ['customer_id', 'product_id'], ['views', 'carts', 'removals', 'orders'],
        ['category', 'brand', 'price_rank']
    ) }}

),

-- Each day as it was known when the day of the feature began. `age` counts back from feature_at: yesterday is 1.
days as (

    select
        spine.customer_id,
        spine.feature_at,
        day_versions.product_id,
        {{ days_between('day_versions.event_date', 'spine.feature_date') }} as age,
        day_versions.category,
        day_versions.brand,
        day_versions.price_rank,
        day_versions.views,
        day_versions.carts,
        day_versions.removals,
        day_versions.orders
    from spine
    inner join day_versions
        on spine.customer_id = day_versions.customer_id
        and day_versions.event_date >= {{ days_after('spine.feature_date', -90) }}
        and day_versions.event_date < spine.feature_date
        and day_versions.known_date < spine.feature_date
        and coalesce(day_versions.next_known_date, spine.feature_date) >= spine.feature_date
    where
        day_versions.views > 0
        or day_versions.carts > 0
        or day_versions.removals > 0
        or day_versions.orders > 0

),
{%- set weights = var('affinity_weights') %}

liked as (

    select
        days.*,
        {{ weights.view }} * views + {{ weights.cart }} * carts + {{ weights.order }} * orders as liking
    from days

)

select
    customer_id,
    product_id,
    feature_at,
    {{ windowed_sums('views', 'age') }},
    {{ windowed_sums('carts', 'age') }},
    {{ windowed_sums('orders', 'age') }},
    min(case when views > 0 then age end) as days_since_view,
    min(case when carts > 0 then age end) as days_since_cart,
    min(case when removals > 0 then age end) as days_since_removal,
    min(case when orders > 0 then age end) as days_since_order,
    min(age) as days_since_last,
    cast(min_by(carts - removals, case when carts > 0 then age end) as bigint) as left_in_cart,
    -- What the feed said on the last day that it said anything.
    min_by(category, case when category is not null then age end) as category,
    min_by(brand, case when brand is not null then age end) as brand,
    cast(sum(views * price_rank) as bigint) as price_rank_sum,
    cast(sum(case when price_rank is not null then views else 0 end) as bigint) as ranked_views,
    -- In millionths, so that a sum is the same whatever its order.
    cast(sum(liking * {{ decayed_micro('age') }}) as bigint) as affinity_micro
from liked
group by customer_id, product_id, feature_at
