{{ config(materialized='incremental', unique_key='feature_at') }}

-- One row a customer, product and day of the spine, for products with which something happened in the 90 days before.
with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_customer_product_days__tiled') }}

),

-- Each day as it was known when the day of the feature began. `age` counts back from feature_at: yesterday is 1.
days as (

    select
        spine.customer_id,
        spine.feature_at,
        tiles.product_id,
        {{ days_between('tiles.event_date', 'spine.feature_date') }} as age,
        max(tiles.category) as category,
        max(tiles.brand) as brand,
        max(tiles.price_rank) as price_rank,
        sum(tiles.views) as views,
        sum(tiles.carts) as carts,
        sum(tiles.removals) as removals,
        sum(tiles.orders) as orders
    from spine
    inner join tiles
        on spine.customer_id = tiles.customer_id
        and tiles.event_date >= {{ days_after('spine.feature_date', -90) }}
        and tiles.event_date < spine.feature_date
        and tiles.known_date < spine.feature_date
    group by
        spine.customer_id,
        spine.feature_at,
        tiles.product_id,
        {{ days_between('tiles.event_date', 'spine.feature_date') }}
    having sum(tiles.views) > 0 or sum(tiles.carts) > 0 or sum(tiles.removals) > 0 or sum(tiles.orders) > 0

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
    min_by(carts - removals, case when carts > 0 then age end) as left_in_cart,
    -- What the feed said on the last day that it said anything.
    min_by(category, case when category is not null then age end) as category,
    min_by(brand, case when brand is not null then age end) as brand,
    cast(sum(views * price_rank) as bigint) as price_rank_sum,
    cast(sum(case when price_rank is not null then views else 0 end) as bigint) as ranked_views,
    -- In millionths, so that a sum is the same whatever its order.
    cast(sum(liking * {{ decayed_micro('age') }}) as bigint) as affinity_micro
from liked
group by customer_id, product_id, feature_at
