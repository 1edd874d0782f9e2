{{ config(materialized='incremental', incremental_strategy='replace_from', unique_key='known_date', on_schema_change='fail') }}

-- One row a product, day of the event and day it became known: sums that any window can add up.
{%- set measures = [
    'views', 'carts', 'clicks', 'impressions', 'orders', 'web_orders', 'units', 'returned_units', 'revenue_minor'
] %}
with bots as (

    select * from {{ ref('int_bots__flagged') }}

),

events as (

    select
        product_id,
        device_id,
        event_kind,
        event_date,
        known_date
    from {{ ref('int_events__unioned') }}
    where
        product_id is not null
        and event_kind in ('view', 'cart', 'click')
        and allows_analytics
        and not is_declared_bot

    union all

    select
        product_id,
        device_id,
        'impression' as event_kind,
        event_date,
        known_date
    from {{ ref('int_impressions__exploded') }}
    where
        product_id is not null
        and allows_analytics
        and not is_declared_bot

),

-- Added on the day they are known, taken back on the day they are known to be a bot's.
event_changes as (

    select
        events.product_id,
        events.event_kind,
        events.event_date,
        events.known_date,
        1 as change
    from events
    left join bots on events.device_id = bots.device_id
    where
        events.known_date >= {{ replaced_from('known_date') }}
        and (bots.flagged_date is null or bots.flagged_date > events.known_date)

    union all

    select
        events.product_id,
        events.event_kind,
        events.event_date,
        bots.flagged_date as known_date,
        -1 as change
    from events
    inner join bots
        on events.device_id = bots.device_id
        and events.known_date < bots.flagged_date
    where bots.flagged_date >= {{ replaced_from('known_date') }}

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

    {%- for relation, its_measures in {
        'event_days': ['views', 'carts', 'clicks', 'impressions'],
        'order_days': ['orders', 'web_orders', 'units', 'returned_units', 'revenue_minor']
    }.items() %}
    select
        product_id,
        event_date,
        known_date,
        {%- for measure in measures %}
        {{ measure if measure in its_measures else '0 as ' ~ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    product_id,
    event_date,
    known_date,
    {%- for measure in measures %}
    cast(sum({{ measure }}) as bigint) as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
from measured
group by product_id, event_date, known_date
