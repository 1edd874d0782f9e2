-- Of the customers who first bought in a month, how many buy again in the months after?
-- One row a cohort and month. Read along a cohort: month 0 is its first purchase and always 1; a curve that flattens has
-- found its regulars. The last month of every cohort is not over yet.
with orders as (

    select * from {{ ref('fct_orders') }}
    where customer_order_number is not null

),

customers as (

    select
        customer_id,
        date_trunc('month', first_ordered_at) as cohort_month
    from {{ ref('dim_customers') }}
    where first_ordered_at is not null

),

active as (

    select
        customers.cohort_month,
        date_trunc('month', orders.ordered_at) as order_month,
        count(distinct orders.customer_id) as buyers
    from orders
    inner join customers on orders.customer_id = customers.customer_id
    group by all

)

select
    cast(cohort_month as date) as cohort_month,
    cast(order_month as date) as order_month,
    buyers,
    round(buyers / max(buyers) filter (where order_month = cohort_month) over (partition by cohort_month), 3) as retention
from active
order by cohort_month, order_month
