{{ config(materialized='incremental', unique_key='known_date') }}

-- Which products an order holds, and since when that is known: what was ordered, whatever came back.
with changes as (

    select * from {{ ref('int_order_changes__valued') }}
    where
        product_id is not null
        and units > 0
    {% if is_incremental() -%}
        and order_id in (
            select order_id from {{ ref('int_order_changes__valued') }}
            where known_at >= {{ replaced_from('known_date') }}
        )
    {%- endif %}

),

held as (

    select
        order_id,
        product_id,
        min(ordered_at) as ordered_at,
        cast(min(known_at) as date) as known_date
    from changes
    group by order_id, product_id

),

-- What an order is known to hold later has its place after what it was known to hold before. Of a large one some are
-- drawn: by name, products of late letters would never be paired.
numbered as (

    select
        held.*,
        row_number() over (
            partition by order_id
            order by known_date, {{ hashed_share("order_id || ' ' || product_id") }}, product_id
        ) as place
    from held

)

select
    numbered.order_id,
    orders.sales_channel,
    orders.source_order_id,
    numbered.product_id,
    cast(numbered.ordered_at as date) as event_date,
    numbered.known_date,
    numbered.place
from numbered
inner join {{ ref('int_orders__unioned') }} as orders on numbered.order_id = orders.order_id
{% if is_incremental() -%}
-- What an order was known to hold stays so, even if that is told anew with a later day.
anti join {{ this }} as held_before
    on numbered.order_id = held_before.order_id
    and numbered.product_id = held_before.product_id
    and held_before.known_date < {{ replaced_from('known_date') }}
{% endif -%}
where numbered.known_date >= {{ replaced_from('known_date') }}
