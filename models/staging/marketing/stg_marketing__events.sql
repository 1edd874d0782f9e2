with landed as (
    {{ landed('raw_marketing', 'events', {
        'event_id': '$.id',
        'event_at': '$.attributes.datetime',
        'metric_id': '$.relationships.metric.data.id',
        'profile_id': '$.relationships.profile.data.id',
        'campaign_id': '$.attributes.event_properties.$message',
        'campaign_name': '$.attributes.event_properties."Campaign Name"',
        'subject': '$.attributes.event_properties.Subject'
    }) }}
),

typed as (
    select
        event_id,
        {{ utc_timestamp('event_at') }} as event_at,
        metric_id,
        profile_id,
        campaign_id,
        campaign_name,
        subject,
        is_readable,
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from landed
),

checked as (
    select
        typed.*,
        case
            when not is_readable then 'payload is not JSON'
            when event_id is null then 'id is missing'
            when event_at is null then 'datetime is missing or no time'
            when {{ is_implausible('event_at') }} then 'datetime is too early or in the future'
            when metric_id is null then 'metric is missing'
            when profile_id is null then 'profile is missing'
        end as reject_reason
    from typed
)

{{ judged('checked', key=['event_id'], first_by=['landed_at', 'content_hash']) }}
