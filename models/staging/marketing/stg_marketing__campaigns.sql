with landed as (
    {{ landed('raw_marketing', 'campaigns', {
        'campaign_id': '$.id',
        'campaign_name': '$.attributes.name',
        'status': '$.attributes.status',
        'channel': '$.attributes.channel',
        'send_at': '$.attributes.send_time',
        'created_at': '$.attributes.created_at',
        'updated_at': '$.attributes.updated_at'
    }) }}
),

typed as (
    select
        campaign_id,
        campaign_name,
        lower(status) as status,
        channel,
        {{ utc_timestamp('send_at') }} as send_at,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('updated_at') }} as updated_at,
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
            when campaign_id is null then 'id is missing'
        end as reject_reason
    from typed
),

judged as (
    {{ judged_versions('checked', key='campaign_id') }}
)

select
    judged.*,
    {{ is_latest_version('campaign_id', ['updated_at', 'landed_at', 'content_hash']) }} as is_latest_version
from judged
