with lines as (

    select * from {{ ref('int_order_lines__unioned') }}

),

orders as (

    select * from {{ ref('int_orders__unioned') }}

),

running as (

    select
        lines.*,
        orders.sales_channel,
        orders.ordered_at,
        orders.cancelled_at,
        orders.order_tax_amount,
        coalesce(lines.gross_amount - lines.discount_amount, 0) as amount,
        sum(lines.gross_amount - lines.discount_amount) over order_lines_so_far as amount_so_far,
        sum(lines.gross_amount - lines.discount_amount) over whole_order as order_amount
    from lines
    inner join orders on lines.order_id = orders.order_id
    window
        order_lines_so_far as (
            partition by lines.order_id
            order by lines.line_number
            rows between unbounded preceding and current row
        ),
        whole_order as (partition by lines.order_id)

),

-- Differences of a rounded running total: the lines' taxes add up to the order's to the cent.
taxed as (

    select
        order_line_id,
        order_id,
        sales_channel,
        line_number,
        product_id,
        quantity,
        is_return,
        source_currency,
        gross_amount,
        discount_amount,
        cast(
            coalesce(
                tax_amount,
                round(order_tax_amount * amount_so_far / nullif(order_amount, 0), 2)
                - round(order_tax_amount * (amount_so_far - amount) / nullif(order_amount, 0), 2)
            ) as decimal(18, 4)
        ) as tax_amount,
        return_amount,
        ordered_at,
        cancelled_at,
        known_at
    from running

)

select * from taxed
