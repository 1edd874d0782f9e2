{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

known as (

    select * from {{ ref('int_customer_orders__known') }}

),

-- Each order as it stood when the day began.
orders as (

    select
        spine.customer_id,
        spine.feature_at,
        known.order_id,
        min(known.event_date) as order_date,
        min({{ days_between('known.event_date', 'spine.feature_date') }}) as age,
        sum(known.orders) as orders,
        sum(known.units) as units,
        sum(known.returned_units) as returned_units,
        sum(known.gross_minor) as gross_minor,
        sum(known.discount_minor) as discount_minor,
        sum(known.gross_minor - known.discount_minor - known.refund_minor) as revenue_minor
    from spine
    inner join known
        on spine.customer_id = known.customer_id
        and known.event_date < spine.feature_date
        and known.known_date < spine.feature_date
    group by spine.customer_id, spine.feature_at, known.order_id

)

select
    customer_id,
    feature_at,
    {{ windowed_sums('orders', 'age') }},
    {{ windowed_sums('revenue_minor', 'age') }},
    {{ windowed_sums('units', 'age', [90]) }},
    {{ windowed_sums('returned_units', 'age', [90]) }},
    {{ windowed_sums('gross_minor', 'age', [90]) }},
    {{ windowed_sums('discount_minor', 'age', [90]) }},
    cast(coalesce(sum(case when orders > 0 and age <= 90 then revenue_minor end), 0) as bigint) as ordered_minor_90d,
    cast(sum(orders) as bigint) as orders_lifetime,
    cast(coalesce(sum(revenue_minor), 0) as bigint) as revenue_minor_lifetime,
    min(case when orders > 0 then order_date end) as first_order_date,
    max(case when orders > 0 then order_date end) as last_order_date
from orders
group by customer_id, feature_at
