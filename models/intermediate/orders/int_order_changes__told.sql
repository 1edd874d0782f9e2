{{ config(materialized='incremental', unique_key='known_at') }}

-- What each order line was said to be, and when: ordered, corrected, given back; as if no order were ever cancelled.
with spans as (

    select * from {{ ref('int_order_line_versions__valued') }}

),

refunds as (

    select * from {{ ref('int_order_line_refunds__unioned') }}

),

corrected as (

    select * from spans
    where next_known_at is not null or known_at > first_known_at

),

-- A version adds what it says and takes back what the one before said, which may have been of another product.
turns as (

    select
        corrected.*,
        known_at as told_at,
        1 as direction
    from corrected

    union all

    select
        corrected.*,
        next_known_at as told_at,
        -1 as direction
    from corrected
    where next_known_at is not null

),

stated as (

    -- Most lines are what they were at first: there is nothing to add up.
    select
        order_line_id,
        order_id,
        product_id,
        sales_channel,
        ordered_at,
        known_at,
        'ordered' as change,
        cast(units as bigint) as units,
        cast(returned_units as bigint) as returned_units,
        cast(gross_minor as bigint) as gross_minor,
        cast(discount_minor as bigint) as discount_minor,
        cast(refund_minor as bigint) as refund_minor
    from spans
    where next_known_at is null and known_at = first_known_at

    union all

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
refunded as (

    select
        spans.order_line_id,
        spans.order_id,
        spans.product_id,
        spans.sales_channel,
        spans.ordered_at,
        greatest(refunds.known_at, spans.first_known_at) as known_at,
        refunds.quantity,
        refunds.refund_amount,
        spans.fx_rate
    from refunds
    inner join spans
        on refunds.order_line_id = spans.order_line_id
        and greatest(refunds.known_at, spans.first_known_at) >= spans.known_at
        and greatest(refunds.known_at, spans.first_known_at)
        < coalesce(spans.next_known_at, timestamp '9999-12-31 00:00:00')

),

-- Where the line turns out to be in another currency, so does what was given back of it.
revalued as (

    select
        refunded.*,
        spans.known_at as told_at,
        spans.fx_rate as later_fx_rate,
        spans.former_fx_rate
    from refunded
    inner join spans
        on refunded.order_line_id = spans.order_line_id
        and refunded.known_at < spans.known_at
    where
        spans.known_at > spans.first_known_at
        and spans.fx_rate is distinct from spans.former_fx_rate

),

changes as (

    select * from stated

    union all

    select
        order_line_id,
        order_id,
        product_id,
        sales_channel,
        ordered_at,
        known_at,
        'refunded' as change,
        cast(0 as bigint) as units,
        quantity as returned_units,
        cast(0 as bigint) as gross_minor,
        cast(0 as bigint) as discount_minor,
        {{ minor_units('refund_amount') }} as refund_minor
    from refunded

    union all

    select
        order_line_id,
        order_id,
        product_id,
        sales_channel,
        ordered_at,
        told_at as known_at,
        'corrected' as change,
        cast(0 as bigint) as units,
        cast(0 as bigint) as returned_units,
        cast(0 as bigint) as gross_minor,
        cast(0 as bigint) as discount_minor,
        coalesce({{ minor_units('refund_amount', 'later_fx_rate') }}, 0)
        - coalesce({{ minor_units('refund_amount', 'former_fx_rate') }}, 0) as refund_minor
    from revalued

)

select * from changes
where known_at >= {{ replaced_from('known_at') }}
