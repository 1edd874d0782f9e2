-- From the visit to the order: where does which channel lose its visitors?
-- One row a channel and platform. Each share is of the sessions, not of the step before; what a session is worth is the
-- net amount of its orders that stand over all its sessions.
with sessions as (

    select * from {{ ref('fct_sessions') }}

),

orders as (

    select
        session_id,
        sum(net_amount) as revenue
    from {{ ref('fct_orders') }}
    where
        session_id is not null
        and not is_cancelled
    group by session_id

)

select
    sessions.channel,
    sessions.source as platform,
    count(*) as sessions,
    round(count_if(sessions.product_views > 0) / count(*), 3) as viewed_share,
    round(count_if(sessions.carts > 0) / count(*), 3) as cart_share,
    round(count_if(sessions.checkouts > 0) / count(*), 3) as checkout_share,
    round(count_if(sessions.is_converted) / count(*), 3) as order_share,
    round(coalesce(sum(orders.revenue), 0) / count(*), 2) as revenue_per_session
from sessions
left join orders on sessions.session_id = orders.session_id
group by sessions.channel, sessions.source
order by count(*) desc, sessions.channel asc, sessions.source asc
