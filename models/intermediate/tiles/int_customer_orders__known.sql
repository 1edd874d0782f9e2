-- One row a customer, order and day on which something about it became known.
with daily as (

    select
        customer_id,
        order_id,
        event_date,
        known_date,
        cast(sum(units) as bigint) as units,
        cast(sum(returned_units) as bigint) as returned_units,
        cast(sum(gross_minor) as bigint) as gross_minor,
        cast(sum(discount_minor) as bigint) as discount_minor,
        cast(sum(refund_minor) as bigint) as refund_minor
    from {{ ref('int_order_changes__attributed') }}
    group by customer_id, order_id, event_date, known_date

)

select
    customer_id,
    order_id,
    event_date,
    known_date,
    {{ newly_standing('customer_id, order_id') }} as orders,
    units,
    returned_units,
    gross_minor,
    discount_minor,
    refund_minor
from daily
