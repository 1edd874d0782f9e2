with spine as (

    select * from {{ ref('int_feature_spine__customers') }}

),

tiles as (

    select * from {{ ref('int_customer_days__tiled') }}

),

-- `age` counts the days back from feature_at: yesterday is 1.
aged as (

    select
        spine.customer_id,
        spine.feature_at,
        {{ days_between('tiles.event_date', 'spine.feature_date') }} as age,
        tiles.views,
        tiles.carts,
        tiles.events,
        tiles.app_events,
        tiles.sessions,
        tiles.emails_received,
        tiles.emails_opened,
        tiles.emails_clicked
    from spine
    inner join tiles
        on spine.customer_id = tiles.customer_id
        and tiles.event_date >= {{ days_after('spine.feature_date', -90) }}
        and tiles.event_date < spine.feature_date
        and tiles.known_date < spine.feature_date

)

select
    customer_id,
    feature_at,
    {{ windowed_sums('views', 'age') }},
    {{ windowed_sums('carts', 'age') }},
    {{ windowed_sums('sessions', 'age') }},
    {{ windowed_sums('events', 'age', [30]) }},
    {{ windowed_sums('app_events', 'age', [30]) }},
    {{ windowed_sums('emails_received', 'age', [90]) }},
    {{ windowed_sums('emails_opened', 'age', [90]) }},
    {{ windowed_sums('emails_clicked', 'age', [90]) }}
from aged
group by customer_id, feature_at
