-- What became known of each order line, and when: it was ordered, it was cancelled, some of it came back.
-- Every change is dated to the day of the order, and adds up: a cancellation takes back what the order added.
with lines as (

    select * from {{ ref('int_order_lines__priced') }}
    -- A line that is pending without a price is no sale yet: counted now, it would have to be uncounted for the days
    -- before its price is known, once it is.
    where source_gross_amount is not null

),

refunds as (

    select * from {{ ref('int_order_line_refunds__unioned') }}

),

ordered as (

    select
        order_line_id,
        order_id,
        product_id,
        sales_channel,
        ordered_at,
        known_at,
        'ordered' as change,
        case when is_return then 0 else quantity end as units,
        case when is_return then -quantity else 0 end as returned_units,
        gross_minor,
        discount_minor,
        case when is_return then refund_minor else 0 end as refund_minor
    from lines

),

cancelled as (

    select
        ordered.order_line_id,
        ordered.order_id,
        ordered.product_id,
        ordered.sales_channel,
        ordered.ordered_at,
        greatest(lines.cancelled_at, ordered.known_at) as known_at,
        'cancelled' as change,
        -ordered.units as units,
        -ordered.returned_units as returned_units,
        -ordered.gross_minor as gross_minor,
        -ordered.discount_minor as discount_minor,
        -ordered.refund_minor as refund_minor
    from ordered
    inner join lines on ordered.order_line_id = lines.order_line_id
    where lines.cancelled_at is not null

),

refunded as (

    select
        lines.order_line_id,
        lines.order_id,
        lines.product_id,
        lines.sales_channel,
        lines.ordered_at,
        greatest(refunds.known_at, lines.known_at) as known_at,
        'refunded' as change,
        cast(0 as bigint) as units,
        refunds.quantity as returned_units,
        cast(0 as bigint) as gross_minor,
        cast(0 as bigint) as discount_minor,
        {{ minor_units('refunds.refund_amount', 'lines.fx_rate') }} as refund_minor
    from refunds
    inner join lines on refunds.order_line_id = lines.order_line_id
    where lines.cancelled_at is null

),

changes as (

    select * from ordered
    union all
    select * from cancelled
    union all
    select * from refunded

)

select * from changes
