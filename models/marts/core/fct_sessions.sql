{{ config(materialized='incremental', incremental_strategy='replace_sessions') }}

with events as (

    select * from {{ ref('int_events__owned') }}
    where {{ is_of_changed_visitor('visitor') }}

),

sessionized as (

    select * from {{ ref('int_events__sessionized') }}
    where session_id is not null

),

channels as (

    select * from {{ ref('channels') }}

),

-- Of events at one time, the same one always comes first.
visited as (

    select
        sessionized.session_id,
        events.*,
        (events.event_at, events.source, events.event_id) as place
    from sessionized
    inner join events
        on sessionized.source = events.source
        and sessionized.event_id = events.event_id

),

summed as (

    select
        session_id,
        min(customer_id) as customer_id,
        min_by(anonymous_id, place) as anonymous_id,
        min(event_at) as started_at,
        max(event_at) as ended_at,
        max(known_at) as known_at,
        min_by(source, place) as source,
        min_by(device_type, place) as device_type,
        min_by(lower(campaign_medium), place) as campaign_medium,
        min_by(campaign_name, place) as campaign_name,
        min_by(referrer, place) as referrer,
        count(*) as events,
        cast(count_if(event_kind = 'view') as bigint) as product_views,
        cast(count_if(event_kind = 'cart') as bigint) as carts,
        cast(count_if(event_kind = 'checkout') as bigint) as checkouts,
        cast(count_if(event_kind = 'order') as bigint) as orders
    from visited
    group by session_id

),

described as (

    select
        summed.session_id,
        summed.customer_id,
        summed.anonymous_id,
        summed.started_at,
        summed.ended_at,
        summed.known_at,
        summed.source,
        summed.device_type,
        case
            when channels.channel is not null then channels.channel
            when summed.campaign_medium is not null then 'other_campaign'
            when
                {{ matches('summed.referrer', '(google|bing|duckduckgo|yahoo|baidu|yandex|ecosia)[.]') }}
                then 'organic_search'
            when
                {{ matches('summed.referrer', '(facebook|instagram|tiktok|pinterest|youtube|twitter|t)[.]co') }}
                then 'social'
            when nullif(summed.referrer, '') is not null then 'referral'
            else 'direct'
        end as channel,
        summed.campaign_name,
        cast(({{ epoch_microseconds('summed.ended_at') }} - {{ epoch_microseconds('summed.started_at') }}) as double)
        / 1000000 as duration_seconds,
        summed.events,
        summed.product_views,
        summed.carts,
        summed.checkouts,
        summed.orders,
        summed.orders > 0 as is_converted,
        summed.carts > 0 and summed.orders = 0 as is_cart_abandoned
    from summed
    left join channels on summed.campaign_medium = channels.utm_medium

)

select * from described
