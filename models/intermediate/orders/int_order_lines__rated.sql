{{ config(materialized='view') }}

-- Each order line with its order, and the exchange rate that was known when it was ordered.
with lines as (

    select * from {{ ref('int_order_lines__unioned') }}

),

orders as (

    select * from {{ ref('int_orders__unioned') }}

),

rates as (

    select * from {{ ref('int_conversion_rates__crossed') }}

)

select
    lines.order_line_id,
    lines.order_id,
    orders.sales_channel,
    lines.line_number,
    lines.product_id,
    lines.quantity,
    lines.is_return,
    orders.ordered_at,
    lines.known_at,
    lines.is_versioned,
    orders.cancelled_at,
    orders.order_tax_amount,
    lines.source_currency,
    lines.gross_amount,
    lines.discount_amount,
    lines.tax_amount,
    lines.return_amount,
    case
        when lines.source_currency = '{{ var("reporting_currency") }}' then cast(1 as double)
        else rates.conversion_rate
    end as fx_rate,
    rates.rate_date as fx_date
from lines
inner join orders on lines.order_id = orders.order_id
left join rates
    on lines.source_currency = rates.source_currency
    and orders.ordered_at >= rates.valid_from
    and orders.ordered_at < rates.valid_to
