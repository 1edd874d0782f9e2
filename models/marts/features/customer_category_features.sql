{{ config(materialized='incremental', unique_key='feature_at') }}

with categories as (

    select * from {{ ref('int_customer_categories__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

)

select
    customer_id,
    category,
    feature_at,
    cast(views_90d as double) / nullif(sum(views_90d) over whole_customer, 0) as view_share_90d,
    cast(orders_90d as double) / nullif(sum(orders_90d) over whole_customer, 0) as order_share_90d,
    days_since_last,
    cast(affinity_micro as double) / 1000000 as affinity_decayed
from categories
window whole_customer as (partition by customer_id, feature_at)
