{{ config(materialized='incremental', unique_key='known_date') }}

-- Who showed themselves on a device: an account that was logged in, or whoever placed the order that was completed there.
with logged_in as (

    select
        device_id,
        event_id,
        event_at,
        known_at,
        known_date,
        'account' as identity_type,
        user_id as identity
    from {{ ref('int_events__unioned') }}
    where
        known_date >= {{ replaced_from('known_date') }}
        and device_id is not null
        and not is_declared_bot
        and user_id is not null

),

completions as (

    select
        device_id,
        order_id,
        event_id,
        event_at,
        known_at,
        known_date
    from {{ ref('int_events__unioned') }}
    where
        event_kind = 'order'
        and order_id is not null
        and device_id is not null
        and not is_declared_bot
        and user_id is null

),

orders as (

    select
        source_order_id,
        account_id,
        email_hash,
        valid_from as known_at
    from {{ ref('int_order_owners__versioned') }}
    where
        sales_channel = 'web_shop'
        and is_first_owner

),

-- Of an order and its completion either may have become known last.
placed_orders as (

    select * from completions
    {% if is_incremental() -%}
    where order_id in (
        select order_id from completions
        where known_date >= {{ replaced_from('known_date') }}

        union

        select source_order_id as order_id from orders
        where cast(known_at as date) >= {{ replaced_from('known_date') }}
    )
    {%- endif %}

),

seen as (

    select * from logged_in

    union all

    select
        placed_orders.device_id,
        placed_orders.event_id,
        placed_orders.event_at,
        greatest(placed_orders.known_at, orders.known_at) as known_at,
        cast(greatest(placed_orders.known_at, orders.known_at) as date) as known_date,
        case when orders.account_id is not null then 'account' else 'email' end as identity_type,
        coalesce(orders.account_id, orders.email_hash) as identity
    from placed_orders
    inner join orders on placed_orders.order_id = orders.source_order_id
    where
        coalesce(orders.account_id, orders.email_hash) is not null
        and cast(greatest(placed_orders.known_at, orders.known_at) as date) >= {{ replaced_from('known_date') }}

),

-- One that follows another of the same customer, and was known no earlier, says nothing new.
preceded as (

    select
        seen.*,
        lag(identity) over device_days as previous_identity,
        lag(known_at) over device_days as previous_known_at
    from seen
    window device_days as (partition by device_id, known_date order by event_at, event_id)

)

select
    device_id,
    event_id,
    event_at,
    known_at,
    known_date,
    identity_type,
    identity
from preceded
where
    previous_identity is null
    or previous_identity <> identity
    or previous_known_at > known_at
