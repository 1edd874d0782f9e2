{{ config(materialized='incremental', unique_key='feature_at', meta={'rows_stand': true}) }}

-- How many buyers each product had in trailing windows, as known when each day began. An order enters a window on the day
-- after it became known and leaves it when it is older than the window, or known to be cancelled: what changes is added up,
-- so that an order costs two rows a window and not one a day.
{%- set windows = [1, 7, 30, 90] %}
with spine as (

    select
        product_id,
        feature_at,
        feature_date
    from {{ ref('int_feature_spine__products') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

first_days as (

    select
        product_id,
        min(feature_date) as first_date
    from spine
    group by product_id

),

changes as (

    select
        known.product_id,
        known.buyer,
        known.event_date,
        known.orders,
        first_days.first_date,
        {{ days_after('greatest(known.known_date, known.event_date)', 1) }} as begins_on
    from {{ ref('int_product_orders__known') }} as known
    inner join first_days on known.product_id = first_days.product_id
    where
        known.buyer is not null
        and known.orders <> 0
        and known.event_date >= {{ first_event_day() }}

),

moves as (

    {% for days in windows %}
    select
        product_id,
        buyer,
        {{ days }} as window_days,
        greatest(begins_on, first_date) as feature_date,
        orders as change
    from changes
    where begins_on <= {{ days_after('event_date', days) }}

    union all

    select
        product_id,
        buyer,
        {{ days }} as window_days,
        greatest({{ days_after('event_date', days + 1) }}, first_date) as feature_date,
        -orders as change
    from changes
    where begins_on <= {{ days_after('event_date', days) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

moved as (

    select
        product_id,
        buyer,
        window_days,
        feature_date,
        sum(change) as change
    from moves
    group by product_id, buyer, window_days, feature_date

),

-- How many orders of a buyer stand in the window from that day on.
standing as (

    select
        product_id,
        buyer,
        window_days,
        feature_date,
        sum(change) over (
            partition by product_id, buyer, window_days
            order by feature_date
            rows between unbounded preceding and current row
        ) as orders
    from moved

),

turned as (

    select
        product_id,
        window_days,
        feature_date,
        orders,
        coalesce(
            lag(orders) over (partition by product_id, buyer, window_days order by feature_date), 0
        ) as former_orders
    from standing

),

daily as (

    select
        product_id,
        feature_date,
        {%- for days in windows %}
        sum(case when window_days = {{ days }} then sign(orders) - sign(former_orders) else 0 end) as buyers_{{ days }}d,
        {%- endfor %}
        sum(
            case when window_days = 90 then sign(greatest(orders, 1) - 1) - sign(greatest(former_orders, 1) - 1) else 0 end
        ) as repeat_buyers_90d
    from turned
    group by product_id, feature_date

),

summed as (

    select
        spine.product_id,
        spine.feature_at,
        {%- for days in windows %}
        cast(sum(coalesce(daily.buyers_{{ days }}d, 0)) over so_far as bigint) as buyers_{{ days }}d,
        {%- endfor %}
        cast(sum(coalesce(daily.repeat_buyers_90d, 0)) over so_far as bigint) as repeat_buyers_90d
    from spine
    left join daily
        on spine.product_id = daily.product_id
        and spine.feature_date = daily.feature_date
    window so_far as (
        partition by spine.product_id
        order by spine.feature_at
        rows between unbounded preceding and current row
    )

)

select * from summed
where buyers_90d > 0
