{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__products') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

known as (

    select * from {{ ref('int_product_orders__known') }}
    where buyer is not null

),

-- Each order as it stood when the day began: a cancelled one has no buyer.
orders as (

    select
        spine.product_id,
        spine.feature_at,
        known.buyer,
        known.order_id,
        min({{ days_between('known.event_date', 'spine.feature_date') }}) as age
    from spine
    inner join known
        on spine.product_id = known.product_id
        and known.event_date >= {{ days_after('spine.feature_date', -90) }}
        and known.event_date < spine.feature_date
        and known.known_date < spine.feature_date
    group by spine.product_id, spine.feature_at, known.buyer, known.order_id
    having sum(known.orders) > 0

),

buyers as (

    select
        product_id,
        feature_at,
        buyer,
        min(age) as age,
        count(*) as orders
    from orders
    group by product_id, feature_at, buyer

)

select
    product_id,
    feature_at,
    cast(count_if(age <= 1) as bigint) as buyers_1d,
    cast(count_if(age <= 7) as bigint) as buyers_7d,
    cast(count_if(age <= 30) as bigint) as buyers_30d,
    cast(count(*) as bigint) as buyers_90d,
    cast(count_if(orders > 1) as bigint) as repeat_buyers_90d
from buyers
group by product_id, feature_at
