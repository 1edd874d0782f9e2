with landed as (
    {{ landed('raw_crm', 'contacts', {
        'contact_id': '$.id',
        'email': '$.properties.email',
        'first_name': '$.properties.firstname',
        'last_name': '$.properties.lastname',
        'phone': '$.properties.phone',
        'country': '$.properties.country',
        'lifecycle_stage': '$.properties.lifecyclestage',
        'loyalty_id': '$.properties.loyalty_id',
        'marketing_consent': '$.properties.marketing_consent',
        'personalization_consent': '$.properties.personalization_consent',
        'merged_contact_ids': '$.properties.hs_merged_object_ids',
        'created_at': '$.createdAt',
        'updated_at': '$.updatedAt',
        'archived': '$.archived',
        'email_history': '$.propertiesWithHistory.email',
        'loyalty_id_history': '$.propertiesWithHistory.loyalty_id',
        'lifecycle_stage_history': '$.propertiesWithHistory.lifecyclestage',
        'marketing_consent_history': '$.propertiesWithHistory.marketing_consent',
        'personalization_consent_history': '$.propertiesWithHistory.personalization_consent'
    }) }}
),

typed as (
    select
        contact_id,
        nullif(lower(trim(email)), '') as email,
        {{ keyed_hash("nullif(lower(trim(email)), '')") }} as email_hash,
        first_name,
        last_name,
        phone,
        upper(nullif(trim(country), '')) as country_code,
        lifecycle_stage,
        nullif(trim(loyalty_id), '') as loyalty_id,
        try_cast(trim(marketing_consent) as boolean) as has_marketing_consent,
        try_cast(trim(personalization_consent) as boolean) as has_personalization_consent,
        nullif(trim(merged_contact_ids), '') as merged_contact_ids,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('updated_at') }} as updated_at,
        coalesce(try_cast(archived as boolean), false) as is_archived,
        email_history,
        loyalty_id_history,
        lifecycle_stage_history,
        marketing_consent_history,
        personalization_consent_history,
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
            when contact_id is null then 'id is missing'
            when created_at is null then 'createdAt is missing or no time'
            when updated_at is null then 'updatedAt is missing or no time'
            when {{ is_implausible('created_at') }} then 'createdAt is too early or in the future'
            when {{ is_implausible('updated_at') }} then 'updatedAt is too early or in the future'
        end as reject_reason
    from typed
),

judged as (
    {{ judged('checked', key=['contact_id', 'updated_at'], first_by=['landed_at', 'content_hash']) }}
),

versions as (
    select
        *,
        lag(updated_at) over (partition by contact_id, record_status order by updated_at) as former_updated_at
    from judged
),

later_versions as (
    select * from versions
    where
        record_status = 'accepted'
        and former_updated_at is not null
),

entries as (
    {{ history_entries('later_versions', ['contact_id', 'updated_at', 'former_updated_at']) }}
),

-- A version may tell of what changed days before its own last change: since the version before that landed.
told as (
    select
        contact_id,
        updated_at,
        min(changed_at) as told_at
    from entries
    where changed_at > former_updated_at
    group by contact_id, updated_at
)

select
    judged.*,
    -- `least` passes over a null.
    least(judged.updated_at, told.told_at) as changed_at,
    {{ is_latest_version('judged.contact_id', ['judged.updated_at', 'landed_at', 'content_hash']) }} as is_latest_version
from judged
left join told
    on judged.contact_id = told.contact_id
    and judged.updated_at = told.updated_at
    and judged.record_status = 'accepted'
