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

-- What a version adds to the one before.
stated as (

    select
        states.order_line_id,
        states.known_at,
        case when lag(states.known_at) over line_versions is null then 'ordered' else 'corrected' end as change,
        states.units - coalesce(lag(states.units) over line_versions, 0) as units,
        states.returned_units - coalesce(lag(states.returned_units) over line_versions, 0) as returned_units,
        states.gross_minor - coalesce(lag(states.gross_minor) over line_versions, 0) as gross_minor,
        states.discount_minor - coalesce(lag(states.discount_minor) over line_versions, 0) as discount_minor,
        states.refund_minor - coalesce(lag(states.refund_minor) over line_versions, 0) as refund_minor
    from states
    window line_versions as (partition by states.order_line_id order by states.known_at)

),

changes as (

    select * from stated

    union all

    select
        lines.order_line_id,
        greatest(refunds.known_at, lines.known_at) as known_at,
        'refunded' as change,
        cast(0 as bigint) as units,
        refunds.quantity as returned_units,
        cast(0 as bigint) as gross_minor,
        cast(0 as bigint) as discount_minor,
        {{ minor_units('refunds.refund_amount', 'lines.fx_rate') }} as refund_minor
    from refunds
    inner join lines on refunds.order_line_id = lines.order_line_id

)

select
    changes.order_line_id,
    lines.order_id,
    lines.product_id,
    lines.sales_channel,
    lines.ordered_at,
    changes.known_at,
    changes.change,
    changes.units,
    changes.returned_units,
    changes.gross_minor,
    changes.discount_minor,
    changes.refund_minor
from changes
inner join lines on changes.order_line_id = lines.order_line_id
