-- How much of the revenue comes from how few of the customers?
-- One row a tenth of the buying customers, the best first. `share_so_far` in decile 2 is what the best fifth brings:
-- near 0.8 the shop lives on few, near 0.2 on all alike.
with customers as (

    select
        customer_id,
        count(*) as orders,
        sum(net_amount) as revenue
    from {{ ref('fct_orders') }}
    where customer_order_number is not null
    group by customer_id

),

ranked as (

    select
        customers.*,
        ntile(10) over (order by revenue desc nulls last, customer_id asc) as decile
    from customers

),

deciles as (

    select
        decile,
        count(*) as customers,
        round(avg(orders), 2) as orders_per_customer,
        sum(revenue) as revenue,
        round(avg(revenue), 2) as revenue_per_customer
    from ranked
    group by decile

)

select
    deciles.*,
    round(revenue / sum(revenue) over (), 3) as revenue_share,
    round(sum(revenue) over (order by decile) / sum(revenue) over (), 3) as share_so_far
from deciles
order by decile
