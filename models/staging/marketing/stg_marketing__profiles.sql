with landed as (
    {{ landed('raw_marketing', 'profiles', {
        'profile_id': '$.id',
        'email': '$.attributes.email',
        'phone': '$.attributes.phone_number',
        'first_name': '$.attributes.first_name',
        'last_name': '$.attributes.last_name'
    }) }}
),

typed as (
    select
        profile_id,
        nullif(lower(trim(email)), '') as email,
        {{ keyed_hash("nullif(lower(trim(email)), '')") }} as email_hash,
        phone,
        first_name,
        last_name,
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
            when profile_id is null then 'id is missing'
        end as reject_reason
    from typed
),

judged as (
    {{ judged_versions('checked', key='profile_id') }}
)

select
    judged.*,
    {{ is_latest_version('profile_id', ['landed_at', 'content_hash']) }} as is_latest_version
from judged
