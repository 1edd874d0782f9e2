{{ config(materialized='view') }}

-- What the CRM's own history of a contact says of its address and card: each version brings it whole. What a later version
-- tells of the time before the one that it follows was not known then.
{%- set histories = {'email': 'email_history', 'loyalty_id': 'loyalty_id_history'} %}
with contacts as (
    select
        *,
        lag(updated_at) over (partition by contact_id order by updated_at, landed_at, content_hash) as former_updated_at
    from {{ ref('stg_crm__contacts') }}
    where record_status = 'accepted'
),

entries as (
    {{ history_entries('contacts', ['contact_id', 'updated_at', 'former_updated_at'], histories) }}
),

told as (
    select
        contact_id,
        updated_at,
        former_updated_at,
        property as identifier_type,
        case
            when property = 'email' then {{ keyed_hash("nullif(lower(trim(value)), '')") }}
            else nullif(trim(value), '')
        end as identifier,
        changed_at
    from entries
)

select distinct
    contact_id,
    updated_at,
    identifier_type,
    identifier,
    case when changed_at <= former_updated_at then updated_at else changed_at end as known_at
from told
where
    identifier is not null
    and changed_at is not null
