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
    {% for identifier_type, history in histories.items() %}
    select
        contact_id,
        updated_at,
        former_updated_at,
        '{{ identifier_type }}' as identifier_type,
        {{ exploded(json_elements(history)) }} as entry
    from contacts
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

read as (
    select
        entries.*,
        {{ json_fields('cast(entry as string)', ['$.value', '$.timestamp']) }} as fields
    from entries
),

told as (
    select
        contact_id,
        updated_at,
        former_updated_at,
        identifier_type,
        case
            when identifier_type = 'email'
                then {{ keyed_hash("nullif(lower(trim(" ~ json_field('fields', '$.value') ~ ")), '')") }}
            else nullif(trim({{ json_field('fields', '$.value') }}), '')
        end as identifier,
        {{ utc_timestamp(json_field('fields', '$.timestamp')) }} as changed_at
    from read
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
