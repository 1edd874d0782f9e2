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
        landed_at,
        load_id,
        case
            when lag(landed_at) over profile_versions is null then timestamp '1900-01-01 00:00:00'
            else landed_at
        end as valid_from,
        coalesce(lead(landed_at) over profile_versions, timestamp '9999-12-31 00:00:00') as valid_to
    from {{ ref('stg_marketing__profiles') }}
    where record_status = 'accepted'
    window profile_versions as (partition by profile_id order by landed_at, content_hash)

),

-- Whoever changes their address later did not get this with the new one. A profile comes with its events: one that a later
-- load brought says whose they are since then.
addressed as (

    select
        events.*,
        profiles.email_hash,
        greatest(
            events.event_at, case when profiles.load_id > events.load_id then profiles.landed_at end
        ) as addressed_at
    from events
    left join profiles
        on events.profile_id = profiles.profile_id
        and events.landed_at >= profiles.valid_from
        and events.landed_at < profiles.valid_to

),

links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type = 'email'

),

attributed as (

    select
        addressed.event_id as response_id,
        links.customer_id,
        addressed.campaign_id,
        addressed.campaign_name,
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
        addressed.event_at as responded_at,
        addressed.event_at as known_at,
        -- `greatest` passes over a null: without a customer there is nothing to attribute.
        case when links.customer_id is not null then greatest(addressed.addressed_at, links.linked_at) end as attributed_at,
        coalesce(links.unlinked_at, timestamp '9999-12-31 00:00:00') as unattributed_at
    from addressed
    left join metrics on addressed.metric_id = metrics.metric_id
    left join links
        on addressed.email_hash = links.identifier
        and addressed.addressed_at < links.unlinked_at

)

select
    attributed.*,
    unattributed_at = timestamp '9999-12-31 00:00:00' as is_current
from attributed
