with landed as (
    {{ landed('raw_marketing', 'metrics', {'metric_id': '$.id', 'metric_name': '$.attributes.name'}) }}
),

checked as (
    select
        landed.*,
        case
            when not is_readable then 'payload is not JSON'
            when metric_id is null then 'id is missing'
            when metric_name is null then 'name is missing'
        end as reject_reason
    from landed
),

judged as (
    {{ judged_versions('checked', key='metric_id') }}
)

select
    judged.*,
    {{ is_latest_version('metric_id', ['landed_at', 'content_hash']) }} as is_latest_version
from judged
