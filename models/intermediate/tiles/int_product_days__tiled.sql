{{ config(materialized='incremental', unique_key='known_date') }}

-- One row a product, day of the event and day it became known: sums that any window can add up.
with bots as (

    select * from {{ ref('int_bots__flagged') }}

),

-- Added on the day they are known, taken back on the day they are known to be a bot's.
event_changes as (

    {% for events, kind in [
        ('int_events__unioned', 'events.event_kind'),
        ('int_impressions__exploded', "'impression' as event_kind"),
    ] %}
    select
        events.product_id,
        {{ kind }},
        events.event_date,
        events.known_date,
        1 as change
    from {{ ref(events) }} as events
    left join bots on events.device_id = bots.device_id
    where
        events.known_date >= {{ replaced_from('known_date') }}
        and (bots.flagged_date is null or bots.flagged_date > events.known_date)
        and events.product_id is not null
        and events.allows_analytics
        and not events.is_declared_bot

    union all

    select
        events.product_id,
        {{ kind }},
        events.event_date,
        bots.flagged_date as known_date,
        -1 as change
    from {{ ref(events) }} as events
    inner join bots
        on events.device_id = bots.device_id
        and events.known_date < bots.flagged_date
    where
        bots.flagged_date >= {{ replaced_from('known_date') }}
        and events.product_id is not null
        and events.allows_analytics
        and not events.is_declared_bot
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

event_days as (

    select
        product_id,
        event_date,
        known_date,
        sum(case when event_kind = 'view' then change else 0 end) as views,
        sum(case when event_kind = 'cart' then change else 0 end) as carts,
        sum(case when event_kind = 'click' then change else 0 end) as clicks,
        sum(case when event_kind = 'impression' then change else 0 end) as impressions
    from event_changes
    where event_kind in ('view', 'cart', 'click', 'impression')
    group by product_id, event_date, known_date

),

order_days as (

    select
        product_id,
        event_date,
        known_date,
        sum(orders) as orders,
        sum(case when sales_channel = 'web_shop' then orders else 0 end) as web_orders,
        sum(units) as units,
        sum(returned_units) as returned_units,
        sum(gross_minor - discount_minor - refund_minor) as revenue_minor
    from {{ ref('int_product_orders__known') }}
    where known_date >= {{ replaced_from('known_date') }}
    group by product_id, event_date, known_date

),

measured as (

    select
        product_id,
        event_date,
        known_date,
        views,
        carts,
        clicks,
        impressions,
        0 as orders,
        0 as web_orders,
        0 as units,
        0 as returned_units,
        0 as revenue_minor
    from event_days

    union all

    select
        product_id,
        event_date,
        known_date,
        0 as views,
        0 as carts,
        0 as clicks,
        0 as impressions,
        orders,
        web_orders,
        units,
        returned_units,
        revenue_minor
    from order_days

)

select
    product_id,
    event_date,
    known_date,
    cast(sum(views) as bigint) as views,
    cast(sum(carts) as bigint) as carts,
    cast(sum(clicks) as bigint) as clicks,
    cast(sum(impressions) as bigint) as impressions,
    cast(sum(orders) as bigint) as orders,
    cast(sum(web_orders) as bigint) as web_orders,
    cast(sum(units) as bigint) as units,
    cast(sum(returned_units) as bigint) as returned_units,
    cast(sum(revenue_minor) as bigint) as revenue_minor
from measured
group by product_id, event_date, known_date
