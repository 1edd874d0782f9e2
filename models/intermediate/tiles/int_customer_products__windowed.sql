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

met_again as (

    select
        customer_id,
        product_id
    from tiles
    group by customer_id, product_id
    having count(*) > 1

),

-- Most products a customer meets on one day alone: to add nothing up for those takes half of the time.
met_once as (

    select
        tiles.*,
        cast(null as date) as next_known_date
    from tiles
    anti join met_again
        on tiles.customer_id = met_again.customer_id
        and tiles.product_id = met_again.product_id

),

repeated as (

    select tiles.*
    from tiles
    semi join met_again
        on tiles.customer_id = met_again.customer_id
        and tiles.product_id = met_again.product_id

),

day_versions as (

    {{ day_versions(
        'repeated', ['customer_id', 'product_id'], ['views', 'carts', 'removals', 'orders'],
        ['category', 'brand', 'price_rank']
    ) }}

),
{%- set weights = var('affinity_weights') %}

-- Each day as it was known when the day of the feature began. `age` counts back from feature_at: yesterday is 1.
{% for days, versions in {'single_days': 'met_once', 'days': 'day_versions'}.items() -%}
{{ days }} as (

    select
        spine.customer_id,
        spine.feature_at,
        versions.product_id,
        {{ days_between('versions.event_date', 'spine.feature_date') }} as age,
        versions.category,
        versions.brand,
        versions.price_rank,
        versions.views,
        versions.carts,
        versions.removals,
        versions.orders,
        {{ weights.view }} * versions.views
        + {{ weights.cart }} * versions.carts
        + {{ weights.order }} * versions.orders as liking
    from spine
    inner join {{ versions }} as versions
        on spine.customer_id = versions.customer_id
        and versions.event_date >= {{ days_after('spine.feature_date', -90) }}
        and versions.event_date < spine.feature_date
        and versions.known_date < spine.feature_date
        and coalesce(versions.next_known_date, spine.feature_date) >= spine.feature_date
    where
        versions.views > 0
        or versions.carts > 0
        or versions.removals > 0
        or versions.orders > 0

){{ ',' if not loop.last }}

{% endfor -%}
select
    customer_id,
    product_id,
    feature_at,
    {{ windowed_values('views', 'age') }},
    {{ windowed_values('carts', 'age') }},
    {{ windowed_values('orders', 'age') }},
    case when views > 0 then age end as days_since_view,
    case when carts > 0 then age end as days_since_cart,
    case when removals > 0 then age end as days_since_removal,
    case when orders > 0 then age end as days_since_order,
    age as days_since_last,
    cast(case when carts > 0 then carts - removals end as bigint) as left_in_cart,
    category,
    brand,
    cast(views * price_rank as bigint) as price_rank_sum,
    cast(case when price_rank is not null then views else 0 end as bigint) as ranked_views,
    cast(liking * {{ decayed_micro('age') }} as bigint) as affinity_micro
from single_days

union all

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
from days
group by customer_id, product_id, feature_at
