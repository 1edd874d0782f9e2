{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_customer_days__tiled') }}

),

-- Each day as it was known when the day of the feature began. `age` counts back from feature_at: yesterday is 1.
days as (

    select
        spine.customer_id,
        spine.feature_at,
        {{ days_between('tiles.event_date', 'spine.feature_date') }} as age,
        sum(tiles.views) as views,
        sum(tiles.carts) as carts,
        sum(tiles.order_events) as order_events,
        sum(tiles.events) as events,
        sum(tiles.app_events) as app_events,
        sum(tiles.night_events) as night_events,
        sum(tiles.sessions) as sessions,
        sum(tiles.emails_received) as emails_received,
        sum(tiles.emails_opened) as emails_opened,
        sum(tiles.emails_clicked) as emails_clicked
    from spine
    inner join tiles
        on spine.customer_id = tiles.customer_id
        and tiles.event_date >= {{ days_after('spine.feature_date', -90) }}
        and tiles.event_date < spine.feature_date
        and tiles.known_date < spine.feature_date
    group by spine.customer_id, spine.feature_at, {{ days_between('tiles.event_date', 'spine.feature_date') }}

)

select
    customer_id,
    feature_at,
    {{ windowed_sums('views', 'age') }},
    {{ windowed_sums('carts', 'age') }},
    {{ windowed_sums('sessions', 'age') }},
    {{ windowed_sums('events', 'age', [30]) }},
    {{ windowed_sums('app_events', 'age', [30]) }},
    {{ windowed_sums('night_events', 'age', [30]) }},
    cast(count_if(age <= 30 and carts > 0) as bigint) as cart_days_30d,
    cast(count_if(age <= 30 and carts > 0 and order_events <= 0) as bigint) as abandoned_days_30d,
    {{ windowed_sums('emails_received', 'age', [90]) }},
    {{ windowed_sums('emails_opened', 'age', [90]) }},
    {{ windowed_sums('emails_clicked', 'age', [90]) }}
from days
group by customer_id, feature_at
