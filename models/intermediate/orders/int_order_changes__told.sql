-- What each order line was said to be, and when: ordered, corrected, given back; as if no order were ever cancelled.
with lines as (

    select * from {{ ref('int_order_lines__priced') }}

),

versions as (

    select * from {{ ref('int_order_line_versions__unioned') }}

),

refunds as (

    select * from {{ ref('int_order_line_refunds__unioned') }}

),

-- A line that is pending without a price is no sale yet: it has no version.
states as (

    select
        lines.order_line_id,
        lines.order_id,
        versions.product_id,
        lines.sales_channel,
        lines.ordered_at,
        lines.fx_rate,
        versions.known_at,
        versions.quantity as units,
        cast(0 as bigint) as returned_units,
        {{ minor_units('versions.gross_amount', 'lines.fx_rate') }} as gross_minor,
        {{ minor_units('versions.discount_amount', 'lines.fx_rate') }} as discount_minor,
        cast(0 as bigint) as refund_minor
    from lines
    inner join versions on lines.order_line_id = versions.order_line_id

    union all

    select
        lines.order_line_id,
        lines.order_id,
        lines.product_id,
        lines.sales_channel,
        lines.ordered_at,
        lines.fx_rate,
        lines.known_at,
        case when lines.is_return then 0 else lines.quantity end as units,
        case when lines.is_return then -lines.quantity else 0 end as returned_units,
        lines.gross_minor,
        lines.discount_minor,
        case when lines.is_return then lines.refund_minor else 0 end as refund_minor
    from lines
    anti join versions on lines.order_line_id = versions.order_line_id
    where lines.source_gross_amount is not null

),

spans as (

    select
        states.*,
        min(known_at) over (partition by order_line_id) as first_known_at,
        lead(known_at) over (partition by order_line_id order by known_at) as next_known_at
    from states

),

-- A version adds what it says and takes back what the one before said, which may have been of another product.
turns as (

    select
        spans.*,
        known_at as told_at,
        1 as direction
    from spans

    union all

    select
        spans.*,
        next_known_at as told_at,
        -1 as direction
    from spans
    where next_known_at is not null

),

stated as (

    select
        order_line_id,
        order_id,
        product_id,
        sales_channel,
        ordered_at,
        told_at as known_at,
        case when told_at = first_known_at then 'ordered' else 'corrected' end as change,
        cast(sum(direction * units) as bigint) as units,
        cast(sum(direction * returned_units) as bigint) as returned_units,
        cast(sum(direction * gross_minor) as bigint) as gross_minor,
        cast(sum(direction * discount_minor) as bigint) as discount_minor,
        cast(sum(direction * refund_minor) as bigint) as refund_minor
    from turns
    group by order_line_id, order_id, product_id, sales_channel, ordered_at, told_at, first_known_at

),

-- What was given back is of the product that the line was said to have then.
returned as (

    select
        spans.order_line_id,
        spans.order_id,
        spans.product_id,
        spans.sales_channel,
        spans.ordered_at,
        greatest(refunds.known_at, spans.first_known_at) as known_at,
        'refunded' as change,
        cast(0 as bigint) as units,
        refunds.quantity as returned_units,
        cast(0 as bigint) as gross_minor,
        cast(0 as bigint) as discount_minor,
        {{ minor_units('refunds.refund_amount', 'spans.fx_rate') }} as refund_minor
    from refunds
    inner join spans
        on refunds.order_line_id = spans.order_line_id
        and greatest(refunds.known_at, spans.first_known_at) >= spans.known_at
        and greatest(refunds.known_at, spans.first_known_at)
        < coalesce(spans.next_known_at, timestamp '9999-12-31 00:00:00')

)

select * from stated
union all
select * from returned
