-- What became known of each order line, and when: it was ordered, corrected, cancelled, some of it came back. Every change
-- is dated to the day of the order, and adds up: a cancellation takes back what the order added, until it is reinstated.
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

told as (

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

),

-- No line is cancelled before it is known.
cancellations as (

    select
        stated.order_line_id,
        greatest(cancellations.cancelled_at, stated.known_at) as cancelled_at,
        cancellations.reinstated_at
    from stated
    inner join lines on stated.order_line_id = lines.order_line_id
    inner join {{ ref('int_order_cancellations__versioned') }} as cancellations
        on lines.order_id = cancellations.order_id
        and stated.known_at < cancellations.reinstated_at
    where stated.change = 'ordered'

),

-- What is told of an order while it is cancelled adds nothing, and gives nothing back.
standing as (

    select told.*
    from told
    left join cancellations
        on told.order_line_id = cancellations.order_line_id
        and told.known_at >= cancellations.cancelled_at
        and told.known_at < cancellations.reinstated_at
    where
        cancellations.order_line_id is null
        or told.change = 'ordered'

),

turns as (

    select
        order_line_id,
        cancelled_at as turned_at,
        'cancelled' as change,
        -1 as direction
    from cancellations

    union all

    select
        order_line_id,
        reinstated_at as turned_at,
        'reinstated' as change,
        1 as direction
    from cancellations
    where reinstated_at < timestamp '9999-12-31 00:00:00'

),

turned as (

    select
        turns.order_line_id,
        turns.turned_at as known_at,
        turns.change,
        cast(sum(turns.direction * told.units) as bigint) as units,
        cast(sum(turns.direction * told.returned_units) as bigint) as returned_units,
        cast(sum(turns.direction * told.gross_minor) as bigint) as gross_minor,
        cast(sum(turns.direction * told.discount_minor) as bigint) as discount_minor,
        cast(sum(turns.direction * told.refund_minor) as bigint) as refund_minor
    from turns
    inner join told
        on turns.order_line_id = told.order_line_id
        and (turns.turned_at > told.known_at or told.change = 'ordered')
    group by turns.order_line_id, turns.turned_at, turns.change

),

changes as (

    select * from standing
    union all
    select * from turned

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
