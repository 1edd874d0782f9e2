{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__customers') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_customer_days__tiled') }}
    where event_date >= {{ first_event_day() }}

),

day_versions as (

    {{ day_versions('tiles', ['customer_id'], [
        'views', 'carts', 'order_events', 'events', 'app_events',
        'night_events', 'sessions', 'emails_received', 'emails_opened', 'emails_clicked'
    ]) }}

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
