-- Which customer a CRM contact is, over time: itself, then whoever it was merged into. An account with its address
-- outranks both.
with addresses as (

    select
        contact_id,
        identifier as email_hash,
        known_at
    from {{ ref('int_contacts__identified') }}
    where identifier_type = 'email'

),

accounts as (

    select
        addresses.contact_id,
        accounts.account_id,
        greatest(addresses.known_at, accounts.linked_at) as linked_at,
        row_number() over (
            partition by addresses.contact_id
            order by greatest(addresses.known_at, accounts.linked_at), accounts.account_id
        ) as place
    from addresses
    inner join {{ ref('int_identity__account_emails') }} as accounts on addresses.email_hash = accounts.email_hash

),

contacts as (

    select
        versions.contact_id,
        min(versions.created_at) as created_at,
        min(accounts.account_id) as account_id,
        coalesce(min(accounts.linked_at), timestamp '9999-12-31 00:00:00') as account_linked_at
    from {{ ref('int_contacts__versioned') }} as versions
    left join accounts
        on versions.contact_id = accounts.contact_id
        and accounts.place = 1
    group by versions.contact_id

),

-- Whose name a contact goes by: its own, then that of each survivor.
named as (

    select
        contacts.contact_id,
        contacts.contact_id as named_id,
        contacts.created_at as valid_from,
        least(coalesce(min(merged.valid_from), contacts.account_linked_at), contacts.account_linked_at) as valid_to
    from contacts
    left join {{ ref('int_contacts__merged') }} as merged on contacts.contact_id = merged.contact_id
    group by contacts.contact_id, contacts.created_at, contacts.account_linked_at

    union all

    select
        merged.contact_id,
        merged.survivor_id as named_id,
        merged.valid_from,
        least(merged.valid_to, contacts.account_linked_at) as valid_to
    from {{ ref('int_contacts__merged') }} as merged
    inner join contacts on merged.contact_id = contacts.contact_id

),

owned as (

    select
        named.contact_id,
        'crm-' || named.named_id as customer_id,
        named.valid_from as linked_at,
        least(named.valid_to, contacts.account_linked_at) as unlinked_at
    from named
    inner join contacts on named.named_id = contacts.contact_id

    union all

    select
        named.contact_id,
        contacts.account_id as customer_id,
        greatest(named.valid_from, contacts.account_linked_at) as linked_at,
        named.valid_to as unlinked_at
    from named
    inner join contacts on named.named_id = contacts.contact_id
    where named.contact_id <> named.named_id and contacts.account_id is not null

    union all

    select
        contact_id,
        account_id as customer_id,
        account_linked_at as linked_at,
        timestamp '9999-12-31 00:00:00' as unlinked_at
    from contacts
    where account_id is not null

)

select * from owned
where linked_at < unlinked_at
