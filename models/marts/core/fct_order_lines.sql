with lines as (

    select * from {{ ref('int_order_lines__priced') }}

),

owners as (

    select * from {{ ref('int_orders__attributed') }}
    where is_current

),

completions as (

    select * from {{ ref('int_orders__completed') }}

),

converted as (

    select
        lines.order_line_id,
        lines.order_id,
        lines.line_number,
        lines.sales_channel,
        owners.customer_id,
        completions.session_id,
        lines.product_id,
        lines.ordered_at,
        lines.known_at,
        lines.cancelled_at is not null as is_cancelled,
        lines.is_return,
        lines.quantity,
        lines.returned_quantity,
        lines.source_currency,
        lines.source_gross_amount,
        lines.source_discount_amount,
        lines.source_tax_amount,
        lines.source_refund_amount,
        lines.fx_rate,
        lines.fx_date,
        {{ major_units('lines.gross_minor') }} as gross_amount,
        {{ major_units('lines.discount_minor') }} as discount_amount,
        {{ major_units('lines.tax_minor') }} as tax_amount,
        {{ major_units('lines.refund_minor') }} as refund_amount,
        {{ major_units('lines.gross_minor - lines.discount_minor - lines.refund_minor') }} as net_amount
    from lines
    left join owners on lines.order_id = owners.order_id
    left join completions on lines.order_id = completions.order_id

)

select * from converted
