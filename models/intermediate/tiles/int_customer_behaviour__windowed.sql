{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_customer_days__tiled') }}
    where event_date >= {{ first_event_day() }}

),

-- What each day came to, from the day that became known until something else did. In doubles, which add up whole numbers
-- of up to 16 digits exactly, and faster.
day_versions as (

    select
        customer_id,
        event_date,
        known_date,
        lead(known_date) over so_far as next_known_date,
        sum(cast(views as double)) over so_far as views,
        sum(cast(carts as double)) over so_far as carts,
        sum(cast(order_events as double)) over so_far as order_events,
        sum(cast(events as double)) over so_far as events,
        sum(cast(app_events as double)) over so_far as app_events,
        sum(cast(night_events as double)) over so_far as night_events,
        sum(cast(sessions as double)) over so_far as sessions,
        sum(cast(emails_received as double)) over so_far as emails_received,
        sum(cast(emails_opened as double)) over so_far as emails_opened,
        sum(cast(emails_clicked as double)) over so_far as emails_clicked
    from tiles
    window so_far as (
        partition by customer_id, event_date
        order by known_date
        rows between unbounded preceding and current row
    )

),

-- Each day as it was known when the day of the feature began. `age` counts back from feature_at: yesterday is 1.
days as (

    select
        spine.customer_id,
        spine.feature_at,
        {{ days_between('day_versions.event_date', 'spine.feature_date') }} as age,
        day_versions.views,
        day_versions.carts,
        day_versions.order_events,
        day_versions.events,
        day_versions.app_events,
        day_versions.night_events,
        day_versions.sessions,
        day_versions.emails_received,
        day_versions.emails_opened,
        day_versions.emails_clicked
    from spine
    inner join day_versions
        on spine.customer_id = day_versions.customer_id
        and day_versions.event_date >= {{ days_after('spine.feature_date', -90) }}
        and day_versions.event_date < spine.feature_date
        and day_versions.known_date < spine.feature_date
        and coalesce(day_versions.next_known_date, spine.feature_date) >= spine.feature_date

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
