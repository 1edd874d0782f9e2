{{ config(materialized='incremental', unique_key='known_date') }}

-- One row a product, order and day on which something about it became known.
with changes as (

    select * from {{ ref('int_order_changes__valued') }}
    where
        product_id is not null
        -- Whether an order comes to stand depends on all that was known of it.
        and order_id in (
            select order_id from {{ ref('int_order_changes__valued') }}
            where known_at >= cast({{ replaced_from('known_date') }} as timestamp)
        )

),

orders as (

    select
        order_id,
        coalesce(account_id, email_hash, loyalty_id) as buyer
    from {{ ref('int_order_owners__versioned') }}
    where is_first_owner

),

daily as (

    select
        changes.product_id,
        changes.order_id,
        changes.sales_channel,
        orders.buyer,
        cast(changes.ordered_at as date) as event_date,
        cast(changes.known_at as date) as known_date,
        cast(sum(changes.units) as bigint) as units,
        cast(sum(changes.returned_units) as bigint) as returned_units,
        cast(sum(changes.gross_minor) as bigint) as gross_minor,
        cast(sum(changes.discount_minor) as bigint) as discount_minor,
        cast(sum(changes.refund_minor) as bigint) as refund_minor
    from changes
    inner join orders on changes.order_id = orders.order_id
    group by
        changes.product_id,
        changes.order_id,
        changes.sales_channel,
        orders.buyer,
        cast(changes.ordered_at as date),
        cast(changes.known_at as date)

),

known as (

    select
        product_id,
        order_id,
        sales_channel,
        buyer,
        event_date,
        known_date,
        {{ newly_standing('product_id, order_id') }} as orders,
        units,
        returned_units,
        gross_minor,
        discount_minor,
        refund_minor
    from daily

)

select * from known
where known_date >= {{ replaced_from('known_date') }}
