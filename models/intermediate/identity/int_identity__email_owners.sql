-- Whose an address is: an account's; before that, whoever its CRM contact is; before that, a guest's own.
with accounts as (

    select
        email_hash,
        account_id as customer_id,
        linked_at,
        timestamp '9999-12-31 00:00:00' as unlinked_at
    from {{ ref('int_identity__account_emails') }}

),

given as (

    select
        identifier as email_hash,
        contact_id,
        known_at as linked_at
    from {{ ref('int_contacts__identified') }}
    where identifier_type = 'email'

),

-- Two contacts with one address: the first to give it keeps it.
first_contacts as (

    select
        given.*,
        row_number() over (partition by email_hash order by linked_at, contact_id) as place
    from given

),

contacts as (

    select
        first_contacts.email_hash,
        owners.customer_id,
        greatest(first_contacts.linked_at, owners.linked_at) as linked_at,
        least(owners.unlinked_at, coalesce(accounts.linked_at, owners.unlinked_at)) as unlinked_at
    from first_contacts
    inner join {{ ref('int_identity__contact_owners') }} as owners on first_contacts.contact_id = owners.contact_id
    left join accounts on first_contacts.email_hash = accounts.email_hash
    where first_contacts.place = 1

),

guests as (

    select
        orders.email_hash,
        'guest-' || substr(orders.email_hash, 1, 16) as customer_id,
        min(orders.valid_from) as linked_at,
        least(
            coalesce(min(first_contacts.linked_at), timestamp '9999-12-31 00:00:00'),
            coalesce(min(accounts.linked_at), timestamp '9999-12-31 00:00:00')
        ) as unlinked_at
    from {{ ref('int_order_owners__versioned') }} as orders
    left join first_contacts
        on orders.email_hash = first_contacts.email_hash
        and first_contacts.place = 1
    left join accounts on orders.email_hash = accounts.email_hash
    where
        orders.email_hash is not null
        and orders.account_id is null
    group by orders.email_hash

),

owners as (

    select * from accounts
    union all
    select * from contacts
    union all
    select * from guests

)

select * from owners
where linked_at < unlinked_at
