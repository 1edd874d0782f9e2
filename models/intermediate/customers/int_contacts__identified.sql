-- Which address and loyalty card a contact was known by, and since when: by the CRM's history; where that tells nothing of
-- it, by the first version that shows it.
with versions as (

    select * from {{ ref('int_contacts__versioned') }}

),

changes as (

    select * from {{ ref('stg_crm__identifier_changes') }}

),

shown as (

    select
        contact_id,
        'email' as identifier_type,
        email_hash as identifier,
        known_at
    from versions
    where email_hash is not null

    union all

    select
        contact_id,
        'loyalty_id' as identifier_type,
        loyalty_id as identifier,
        known_at
    from versions
    where loyalty_id is not null

),

told as (

    select
        shown.contact_id,
        shown.identifier_type,
        shown.identifier,
        shown.known_at
    from shown
    anti join changes
        on shown.contact_id = changes.contact_id
        and shown.identifier_type = changes.identifier_type
        and shown.identifier = changes.identifier

    union all

    select
        contact_id,
        identifier_type,
        identifier,
        changed_at as known_at
    from changes

)

select
    contact_id,
    identifier_type,
    identifier,
    min(known_at) as known_at
from told
group by contact_id, identifier_type, identifier
