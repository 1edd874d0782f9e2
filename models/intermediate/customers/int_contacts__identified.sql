-- Which address and loyalty card a contact was known by, and since when: by the CRM's history; where a version's
-- tells nothing of what it shows, by the version.
with versions as (

    select * from {{ ref('int_contacts__versioned') }}

),

changes as (

    select
        contact_id,
        updated_at,
        property as identifier_type,
        value as identifier,
        known_at
    from {{ ref('stg_crm__property_changes') }}
    where property in ('email', 'loyalty_id')

),

contacts as (

    select
        contact_id,
        min(created_at) as created_at
    from versions
    group by contact_id

),

shown as (

    select
        contact_id,
        updated_at,
        'email' as identifier_type,
        email_hash as identifier,
        known_at
    from versions
    where email_hash is not null

    union all

    select
        contact_id,
        updated_at,
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
        and shown.updated_at = changes.updated_at
        and shown.identifier_type = changes.identifier_type
        and shown.identifier = changes.identifier

    union all

    select
        contact_id,
        identifier_type,
        identifier,
        known_at
    from changes

)

-- No contact had anything before it was one.
select
    told.contact_id,
    told.identifier_type,
    told.identifier,
    greatest(min(told.known_at), min(contacts.created_at)) as known_at
from told
inner join contacts on told.contact_id = contacts.contact_id
group by told.contact_id, told.identifier_type, told.identifier
