{{ config(materialized='view') }}

with orders as (
    select * from {{ ref('stg_shop__orders') }}
    where is_latest_version
),

deletions as (
    select * from {{ ref('stg_shop__deletions') }}
    where
        table_name = 'orders'
        and restored_at is null
)

select
    orders.order_id,
    orders.account_id,
    orders.created_at,
    orders.updated_at,
    orders.cancelled_at,
    orders.financial_status,
    orders.fulfillment_status,
    orders.currency,
    orders.total_price
from orders
left join deletions on orders.order_id = deletions.row_id
where deletions.row_id is null
