-- A line's net is its gross less discount and refund; an order is the sum of its lines.
with lines as (

    select
        order_id,
        sum(net_amount) as net_amount,
        count(*) as line_count,
        count(net_amount) as known_lines,
        count_if(net_amount <> gross_amount - discount_amount - refund_amount) as wrong_lines
    from {{ ref('fct_order_lines') }}
    group by order_id

)

select
    orders.order_id,
    orders.net_amount as order_amount,
    lines.net_amount as lines_amount,
    lines.wrong_lines
from {{ ref('fct_orders') }} as orders
inner join lines on orders.order_id = lines.order_id
where
    lines.wrong_lines > 0
    or orders.line_count <> lines.line_count
    or (lines.known_lines = lines.line_count and orders.net_amount is distinct from lines.net_amount)
    or (lines.known_lines < lines.line_count and orders.net_amount is not null)
