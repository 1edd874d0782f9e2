with lines as (

    select * from {{ ref('int_order_lines__taxed') }}

),

refunds as (

    select
        order_line_id,
        cast(sum(refund_amount) as decimal(18, 4)) as refund_amount,
        cast(sum(quantity) as bigint) as refunded_quantity
    from {{ ref('int_order_line_refunds__unioned') }}
    group by order_line_id

),

refunded as (

    select
        lines.*,
        cast(coalesce(refunds.refund_amount, 0) + lines.return_amount as decimal(18, 4)) as refund_amount,
        coalesce(refunds.refunded_quantity, 0)
        + case when lines.is_return then abs(lines.quantity) else 0 end as returned_quantity
    from lines
    left join refunds on lines.order_line_id = refunds.order_line_id

)

-- Money in the reporting currency is in whole minor units (cents) from here on.
select
    order_line_id,
    order_id,
    sales_channel,
    line_number,
    product_id,
    quantity,
    returned_quantity,
    is_return,
    ordered_at,
    known_at,
    cancelled_at,
    source_currency,
    gross_amount as source_gross_amount,
    discount_amount as source_discount_amount,
    tax_amount as source_tax_amount,
    refund_amount as source_refund_amount,
    fx_rate,
    fx_date,
    {{ minor_units('gross_amount') }} as gross_minor,
    {{ minor_units('discount_amount') }} as discount_minor,
    {{ minor_units('tax_amount') }} as tax_minor,
    {{ minor_units('refund_amount') }} as refund_minor
from refunded
