{{ config(materialized='incremental', unique_key='known_date') }}

-- One row a customer, order and day on which something about it became known.
with changes as (

    select * from {{ ref('int_order_changes__attributed') }}
    where
        -- Whether an order comes to stand depends on all that was known of it.
        order_id in (
            select order_id from {{ ref('int_order_changes__attributed') }}
            where known_date >= {{ replaced_from('known_date') }}
        )

),

daily as (

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
    from changes
    group by customer_id, order_id, event_date, known_date

),

known as (

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

)

select * from known
where known_date >= {{ replaced_from('known_date') }}
