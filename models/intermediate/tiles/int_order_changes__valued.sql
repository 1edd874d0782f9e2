{{ config(materialized='incremental', unique_key='known_at') }}

-- What became known of each order line, and when: it was ordered, corrected, cancelled, some of it came back. Every change
-- is dated to the day of the order, and adds up: a cancellation takes back what the order added, until it is reinstated.
with told as (

    select * from {{ ref('int_order_changes__told') }}

),

-- No line is cancelled before it is known.
cancellations as (

    select
        told.order_line_id,
        greatest(cancellations.cancelled_at, told.known_at) as cancelled_at,
        cancellations.reinstated_at
    from told
    inner join {{ ref('int_order_cancellations__versioned') }} as cancellations
        on told.order_id = cancellations.order_id
        and told.known_at < cancellations.reinstated_at
    where told.change = 'ordered'

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

)

-- What is told of an order while it is cancelled adds nothing, and gives nothing back.
select told.*
from told
left join cancellations
    on told.order_line_id = cancellations.order_line_id
    and told.known_at >= cancellations.cancelled_at
    and told.known_at < cancellations.reinstated_at
where
    (cancellations.order_line_id is null or told.change = 'ordered')
    and told.known_at >= {{ replaced_from('known_at') }}

union all

select
    turns.order_line_id,
    told.order_id,
    told.product_id,
    told.sales_channel,
    told.ordered_at,
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
where turns.turned_at >= {{ replaced_from('known_at') }}
group by
    turns.order_line_id,
    told.order_id,
    told.product_id,
    told.sales_channel,
    told.ordered_at,
    turns.turned_at,
    turns.change
