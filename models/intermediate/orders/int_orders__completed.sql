with orders as (

    select
        order_id,
        source_order_id
    from {{ ref('int_orders__unioned') }}
    where sales_channel = 'web_shop'

),

completions as (

    select
        source,
        event_id,
        order_id as source_order_id
    from {{ ref('int_events__unioned') }}
    where event_kind = 'order'

),

sessions as (

    select * from {{ ref('int_events__sessionized') }}
    where session_id is not null

)

-- Should trackers name an order in two sessions, it counts for one of them, always the same.
select
    orders.order_id,
    min(sessions.session_id) as session_id
from completions
inner join sessions
    on completions.source = sessions.source
    and completions.event_id = sessions.event_id
inner join orders on completions.source_order_id = orders.source_order_id
group by orders.order_id
