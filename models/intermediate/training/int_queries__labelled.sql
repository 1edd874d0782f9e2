-- What a customer did with which product within `label_days` of a query. Only what was known when the label matured
-- counts, so that a label that has matured stays as it is.
with queries as (

    select * from {{ ref('int_queries__asked') }}

),

behaviour as (

    select
        queries.query_id,
        events.product_id,
        events.event_kind
    from queries
    inner join {{ ref('int_events__attributed') }} as events
        on queries.customer_id = events.customer_id
        and events.event_at >= queries.asked_at
        and events.event_at < queries.asked_at + interval '{{ var("label_days") }}' day
        and events.known_date < cast(queries.matured_at as date)
    where
        events.product_id is not null
        and events.event_kind in ('view', 'cart')
    group by queries.query_id, events.product_id, events.event_kind, events.source, events.event_id
    having sum(events.change) > 0

),

orders as (

    select
        queries.query_id,
        changes.product_id,
        'order' as event_kind
    from queries
    inner join {{ ref('int_orders__attributed') }} as owners
        on queries.customer_id = owners.customer_id
        and owners.attributed_at < queries.matured_at
        and owners.unattributed_at >= queries.matured_at
    inner join {{ ref('int_order_changes__valued') }} as changes
        on owners.order_id = changes.order_id
        and changes.ordered_at >= queries.asked_at
        and changes.ordered_at < queries.asked_at + interval '{{ var("label_days") }}' day
        and changes.known_at < queries.matured_at
    where changes.product_id is not null
    group by queries.query_id, changes.product_id, changes.order_id
    having sum(changes.units) > 0

),

outcomes as (

    select * from behaviour
    union all
    select * from orders

),

labelled as (

    select
        query_id,
        product_id,
        cast(max(case when event_kind = 'view' then 1 else 0 end) as integer) as label_view,
        cast(max(case when event_kind = 'cart' then 1 else 0 end) as integer) as label_cart,
        cast(max(case when event_kind = 'order' then 1 else 0 end) as integer) as label_order
    from outcomes
    group by query_id, product_id

)
{%- set weights = var('affinity_weights') %}

select
    labelled.*,
    cast(greatest(
        {{ weights.view }} * label_view, {{ weights.cart }} * label_cart, {{ weights.order }} * label_order
    ) as integer) as gain
from labelled
