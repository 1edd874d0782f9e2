with spine as (

    select * from {{ ref('int_feature_spine__products') }}

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

)

select
    product_id,
    feature_at,
    count(distinct case when age <= 1 then buyer end) as buyers_1d,
    count(distinct case when age <= 7 then buyer end) as buyers_7d,
    count(distinct case when age <= 30 then buyer end) as buyers_30d,
    count(distinct case when age <= 90 then buyer end) as buyers_90d
from orders
group by product_id, feature_at
