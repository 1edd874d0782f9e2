{{ config(materialized='incremental', unique_key='feature_at') }}

-- One row a customer, category and day of the spine, for categories with which something happened in the 90 days before.
select
    customer_id,
    category,
    feature_at,
    cast(sum(views_90d) as bigint) as views_90d,
    cast(sum(orders_90d) as bigint) as orders_90d,
    min(days_since_last) as days_since_last,
    cast(sum(affinity_micro) as bigint) as affinity_micro
from {{ ref('int_customer_products__windowed') }}
where
    category is not null
    and feature_at >= {{ replaced_from('feature_at') }}
group by customer_id, category, feature_at
