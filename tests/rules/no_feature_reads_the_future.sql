-- The features once more, straight from the facts: what happened and was known before feature_at, and nothing else.
with rows_to_check as (

    select
        customer_id,
        feature_at,
        views_7d,
        carts_30d,
        orders_lifetime
    from {{ ref('customer_features') }}

),

events as (

    select
        rows_to_check.customer_id,
        rows_to_check.feature_at,
        count_if(events.event_kind = 'view' and events.event_at >= rows_to_check.feature_at - interval 7 day) as views_7d,
        count_if(events.event_kind = 'cart' and events.event_at >= rows_to_check.feature_at - interval 30 day) as carts_30d
    from rows_to_check
    inner join {{ ref('fct_events') }} as events
        on rows_to_check.customer_id = events.customer_id
        and events.event_at < rows_to_check.feature_at
        and events.attributed_at < rows_to_check.feature_at
        and events.event_at >= rows_to_check.feature_at - interval 30 day
    where not events.is_bot
    group by rows_to_check.customer_id, rows_to_check.feature_at

),

-- An order stands when one of its lines was known, and its cancellation was not, before the day began.
orders as (

    select
        rows_to_check.customer_id,
        rows_to_check.feature_at,
        count(distinct lines.order_id) as orders_lifetime
    from rows_to_check
    inner join {{ ref('int_orders__attributed') }} as owners
        on rows_to_check.customer_id = owners.customer_id
        and owners.attributed_at < rows_to_check.feature_at
    inner join {{ ref('int_order_lines__priced') }} as lines
        on owners.order_id = lines.order_id
        and lines.ordered_at < rows_to_check.feature_at
        and lines.known_at < rows_to_check.feature_at
        and lines.known_at < owners.unattributed_at
        and lines.quantity > 0
        and (lines.cancelled_at is null or lines.cancelled_at >= rows_to_check.feature_at)
    group by rows_to_check.customer_id, rows_to_check.feature_at

)

select
    rows_to_check.*,
    events.views_7d as recomputed_views_7d,
    events.carts_30d as recomputed_carts_30d,
    orders.orders_lifetime as recomputed_orders_lifetime
from rows_to_check
left join events
    on rows_to_check.customer_id = events.customer_id
    and rows_to_check.feature_at = events.feature_at
left join orders
    on rows_to_check.customer_id = orders.customer_id
    and rows_to_check.feature_at = orders.feature_at
where
    rows_to_check.views_7d <> coalesce(events.views_7d, 0)
    or rows_to_check.carts_30d <> coalesce(events.carts_30d, 0)
    or rows_to_check.orders_lifetime <> coalesce(orders.orders_lifetime, 0)
