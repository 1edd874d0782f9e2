{{ config(materialized='view') }}

-- A contact's first version speaks for it since it was created; what a later one adds was known from that version on.
with versions as (

    select
        contact_id,
        email_hash,
        country_code,
        lifecycle_stage,
        loyalty_id,
        has_marketing_consent,
        has_personalization_consent,
        merged_contact_ids,
        lifecycle_stage_history,
        marketing_consent_history,
        personalization_consent_history,
        created_at,
        updated_at,
        row_number() over (partition by contact_id order by updated_at, landed_at, content_hash) as version_number
    from {{ ref('stg_crm__contacts') }}
    where record_status = 'accepted'

)

select
    versions.*,
    case when version_number = 1 then created_at else updated_at end as known_at
from versions
