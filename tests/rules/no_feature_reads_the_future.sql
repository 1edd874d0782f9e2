-- Features once more, each row straight from the events, links and orders that were known before its feature_at: another way
-- than the tiles and their changes, to the same numbers.
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

    select * from {{ ref('int_events__unioned') }}
    where
        event_kind in ('view', 'cart')
        and allows_personalization
        and not is_declared_bot

),

links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type = 'device'

),

owned as (

    select
        event_id,
        event_kind,
        event_at,
        known_at,
        device_id,
        user_id as customer_id,
        known_at as linked_at,
        timestamp '9999-12-31 00:00:00' as unlinked_at
    from events
    where user_id is not null

    union all

    select
        events.event_id,
        events.event_kind,
        events.event_at,
        events.known_at,
        events.device_id,
        links.customer_id,
        links.linked_at,
        links.unlinked_at
    from events
    inner join links
        on events.device_id = links.identifier
        and events.event_at >= links.valid_from
        and events.event_at < links.valid_to
    where events.user_id is null

),

allowed as (

    select
        owned.*,
        bots.flagged_date
    from owned
    left join {{ ref('int_bots__flagged') }} as bots on owned.device_id = bots.device_id
    left join {{ ref('dim_customers_history') }} as history
        on owned.customer_id = history.customer_id
        and owned.event_at >= history.valid_from
        and owned.event_at < history.valid_to
    where coalesce(history.has_personalization_consent, true)

),

counted as (

    select
        rows_to_check.customer_id,
        rows_to_check.feature_at,
        count_if(
            allowed.event_kind = 'view' and allowed.event_at >= rows_to_check.feature_at - interval 7 day
        ) as views_7d,
        count_if(allowed.event_kind = 'cart') as carts_30d
    from rows_to_check
    inner join allowed
        on rows_to_check.customer_id = allowed.customer_id
        and allowed.event_at < rows_to_check.feature_at
        and allowed.event_at >= rows_to_check.feature_at - interval 30 day
        and allowed.known_at < rows_to_check.feature_at
        and allowed.linked_at < rows_to_check.feature_at
        and allowed.unlinked_at >= rows_to_check.feature_at
    where
        allowed.flagged_date is null
        or cast(allowed.flagged_date as timestamp) >= rows_to_check.feature_at
    group by rows_to_check.customer_id, rows_to_check.feature_at

),

-- An order stands when one of its lines was known before the day began, and no cancellation was that lasted.
orders as (

    select
        rows_to_check.customer_id,
        rows_to_check.feature_at,
        count(distinct lines.order_id) as orders_lifetime
    from rows_to_check
    inner join {{ ref('int_orders__attributed') }} as owners
        on rows_to_check.customer_id = owners.customer_id
        and owners.attributed_at < rows_to_check.feature_at
        and owners.unattributed_at >= rows_to_check.feature_at
    inner join {{ ref('int_order_lines__rated') }} as lines
        on owners.order_id = lines.order_id
        and lines.ordered_at < rows_to_check.feature_at
        and lines.known_at < rows_to_check.feature_at
        and lines.quantity > 0
    left join {{ ref('int_order_cancellations__versioned') }} as cancellations
        on lines.order_id = cancellations.order_id
        and cancellations.cancelled_at < rows_to_check.feature_at
        and cancellations.reinstated_at >= rows_to_check.feature_at
    where cancellations.order_id is null
    group by rows_to_check.customer_id, rows_to_check.feature_at

)

select
    rows_to_check.*,
    counted.views_7d as recomputed_views_7d,
    counted.carts_30d as recomputed_carts_30d,
    orders.orders_lifetime as recomputed_orders_lifetime
from rows_to_check
left join counted
    on rows_to_check.customer_id = counted.customer_id
    and rows_to_check.feature_at = counted.feature_at
left join orders
    on rows_to_check.customer_id = orders.customer_id
    and rows_to_check.feature_at = orders.feature_at
where
    rows_to_check.views_7d <> coalesce(counted.views_7d, 0)
    or rows_to_check.carts_30d <> coalesce(counted.carts_30d, 0)
    or rows_to_check.orders_lifetime <> coalesce(orders.orders_lifetime, 0)
