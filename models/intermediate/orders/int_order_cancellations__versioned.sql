{{ config(materialized='view') }}

-- From when to when orders were cancelled: for good where the source knows of no order that stands again.
with orders as (

    select * from {{ ref('int_orders__unioned') }}
    where cancelled_at is not null

),

told as (

    {% for source_name in var('cancellation_sources') %}
    select
        order_id,
        cancelled_at,
        reinstated_at
    from {{ ref('stg_' ~ source_name ~ '__sales_order_cancellations') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    order_id,
    cancelled_at,
    coalesce(reinstated_at, timestamp '9999-12-31 00:00:00') as reinstated_at
from told

union all

select
    orders.order_id,
    orders.cancelled_at,
    timestamp '9999-12-31 00:00:00' as reinstated_at
from orders
anti join told on orders.order_id = told.order_id
