{{ config(materialized='incremental', unique_key='known_date') }}

-- The products of an order belong to the device it was placed on as soon as both, the event and the lines, are known.
with placed as (

    select
        events.device_id,
        events.event_at,
        greatest(events.known_date, order_products.known_date) as known_date,
        order_products.product_id
    from {{ ref('int_events__unioned') }} as events
    inner join {{ ref('int_order_products__known') }} as order_products on events.order_id = order_products.source_order_id
    where
        events.event_kind = 'order'
        and events.allows_analytics
        and not events.is_declared_bot
        and order_products.sales_channel = 'web_shop'

)

select * from placed
where known_date >= {{ replaced_from('known_date') }}
