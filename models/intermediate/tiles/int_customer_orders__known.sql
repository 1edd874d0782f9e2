-- One row a customer, order and day on which something about it became known. The first row of an order brings it
-- (`orders` 1), a cancellation takes it away (-1). An order without anything but returns is no order.
with changes as (

    select * from {{ ref('int_order_changes__valued') }}

),

owners as (

    select * from {{ ref('int_orders__attributed') }}

),

owned as (

    select
        owners.customer_id,
        changes.order_id,
        cast(changes.ordered_at as date) as event_date,
        cast(greatest(changes.known_at, owners.attributed_at) as date) as known_date,
        changes.change,
        changes.units,
        changes.returned_units,
        changes.gross_minor,
        changes.discount_minor,
        changes.refund_minor
    from changes
    inner join owners on changes.order_id = owners.order_id
    where changes.known_at < owners.unattributed_at

),

daily as (

    select
        customer_id,
        order_id,
        event_date,
        known_date,
        bool_or(change = 'ordered' and units > 0) as is_ordered,
        bool_or(change = 'cancelled' and units < 0) as is_cancelled,
        cast(sum(units) as bigint) as units,
        cast(sum(returned_units) as bigint) as returned_units,
        cast(sum(gross_minor) as bigint) as gross_minor,
        cast(sum(discount_minor) as bigint) as discount_minor,
        cast(sum(refund_minor) as bigint) as refund_minor
    from owned
    group by customer_id, order_id, event_date, known_date

),

counted as (

    select
        customer_id,
        order_id,
        event_date,
        known_date,
        {{ net_orders('whole_order') }} as orders,
        units,
        returned_units,
        gross_minor,
        discount_minor,
        refund_minor
    from daily
    window whole_order as (partition by customer_id, order_id)

)

select * from counted
