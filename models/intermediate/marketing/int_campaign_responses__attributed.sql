with events as (

    select * from {{ ref('stg_marketing__events') }}
    where record_status = 'accepted'

),

metrics as (

    select * from {{ ref('stg_marketing__metrics') }}
    where is_latest_version

),

-- A profile has no time of its own: its first version holds for what was before it, the next from when it landed.
profiles as (

    select
        profile_id,
        email_hash,
        case
            when lag(landed_at) over profile_versions is null then timestamp '1900-01-01 00:00:00'
            else landed_at
        end as valid_from,
        coalesce(lead(landed_at) over profile_versions, timestamp '9999-12-31 00:00:00') as valid_to
    from {{ ref('stg_marketing__profiles') }}
    where record_status = 'accepted'
    window profile_versions as (partition by profile_id order by landed_at, content_hash)

),

links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type = 'email'

),

attributed as (

    select
        events.event_id as response_id,
        links.customer_id,
        events.campaign_id,
        events.campaign_name,
        metrics.metric_name,
        case metrics.metric_name
            when 'Received Email' then 'received'
            when 'Opened Email' then 'opened'
            when 'Clicked Email' then 'clicked'
            when 'Unsubscribed' then 'unsubscribed'
            when 'Bounced Email' then 'bounced'
            when 'Marked Email as Spam' then 'marked_as_spam'
            else 'other'
        end as response_type,
        events.event_at as responded_at,
        events.event_at as known_at,
        -- `greatest` passes over a null: without a customer there is nothing to attribute.
        case when links.customer_id is not null then greatest(events.event_at, links.linked_at) end as attributed_at,
        coalesce(links.unlinked_at, timestamp '9999-12-31 00:00:00') as unattributed_at
    from events
    left join metrics on events.metric_id = metrics.metric_id
    -- Whoever changes their address later did not get this with the new one.
    left join profiles
        on events.profile_id = profiles.profile_id
        and events.landed_at >= profiles.valid_from
        and events.landed_at < profiles.valid_to
    left join links
        on profiles.email_hash = links.identifier
        and events.event_at < links.unlinked_at

)

select
    attributed.*,
    unattributed_at = timestamp '9999-12-31 00:00:00' as is_current
from attributed
