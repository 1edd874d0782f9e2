{{ config(materialized='view') }}

-- What the CRM's own histories of a contact say: each version brings them whole. What a later version tells of the time
-- before the one that it follows was not known then.
with contacts as (
    select
        *,
        lag(updated_at) over (partition by contact_id order by updated_at, landed_at, content_hash) as former_updated_at
    from {{ ref('stg_crm__contacts') }}
    where record_status = 'accepted'
),

entries as (
    {{ history_entries('contacts', ['contact_id', 'updated_at', 'former_updated_at']) }}
),

told as (
    select
        contact_id,
        updated_at,
        former_updated_at,
        property,
        case
            when property = 'email' then {{ keyed_hash("nullif(lower(trim(value)), '')") }}
            when property = 'loyalty_id' then nullif(trim(value), '')
            -- What is neither yes nor no ends what was said before.
            when property in ('marketing_consent', 'personalization_consent')
                then coalesce(cast(try_cast(trim(value) as boolean) as string), 'unknown')
            else trim(value)
        end as value,
        changed_at
    from entries
    where value is not null
)

select distinct
    contact_id,
    updated_at,
    property,
    value,
    changed_at,
    case when changed_at <= former_updated_at then updated_at else changed_at end as known_at
from told
where
    value is not null
    and changed_at is not null
