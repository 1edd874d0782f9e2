-- What did late events and late logins change: how much of a day did its features know when the next one began, and how
-- much is known of it today?
-- One row a day. `served` is what product_features said of the day as it ended; `known_now` counts the same views by all
-- that has arrived since. `came_late` is what a feature that looked ahead would have known too early; bots found out
-- later make it less.
with features as (

    select
        {{ days_after('cast(feature_at as date)', -1) }} as event_date,
        sum(views_1d) as served
    from {{ ref('product_features') }}
    group by all

),

views as (

    select
        cast(event_at as date) as event_date,
        count(*) as known_now,
        count_if(cast(known_at as date) > cast(event_at as date)) as came_after_midnight,
        round(max(date_diff('hour', event_at, known_at)) / 24.0, 1) as longest_delay_days
    from {{ ref('fct_events') }}
    where
        event_kind = 'view'
        and product_id is not null
        and not is_bot
    group by all

)

select
    views.event_date,
    features.served,
    views.known_now,
    views.known_now - features.served as came_late,
    round((views.known_now - features.served) / views.known_now, 4) as late_share,
    views.came_after_midnight,
    views.longest_delay_days
from views
inner join features on views.event_date = features.event_date
order by views.event_date
