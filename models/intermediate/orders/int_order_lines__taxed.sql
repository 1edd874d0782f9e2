{{ config(materialized='view') }}

-- Tax is paid for what is sold; where it is paid back, for what came back.
with lines as (

    select
        *,
        case when order_tax_amount < 0 then return_amount else gross_amount - discount_amount end as taxed_amount
    from {{ ref('int_order_lines__rated') }}

),

running as (

    select
        *,
        row_number() over order_lines_so_far as place,
        coalesce(taxed_amount, 0) as amount,
        sum(taxed_amount) over order_lines_so_far as amount_so_far,
        sum(taxed_amount) over whole_order as order_amount
    from lines
    window
        order_lines_so_far as (
            partition by order_id
            order by line_number, order_line_id
            rows between unbounded preceding and current row
        ),
        whole_order as (partition by order_id)

)

-- Differences of a rounded running total: the lines' taxes add up to the order's to the cent.
select
    order_line_id,
    order_id,
    sales_channel,
    coalesce(line_number, place) as line_number,
    product_id,
    quantity,
    is_return,
    ordered_at,
    known_at,
    cancelled_at,
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
    fx_rate,
    fx_date
from running
