with contacts as (

    select
        contact_id,
        loyalty_id,
        email_hash,
        created_at
    from {{ ref('stg_crm__contacts') }}
    where
        is_latest_version
        and loyalty_id is not null

),

email_owners as (

    select * from {{ ref('int_identity__email_owners') }}

),

-- A card belongs to whoever its contact's address belongs to, at that time.
contact_owners as (

    select
        contacts.loyalty_id,
        coalesce(email_owners.customer_id, 'crm-' || contacts.contact_id) as customer_id,
        greatest(contacts.created_at, coalesce(email_owners.linked_at, contacts.created_at)) as linked_at,
        coalesce(email_owners.unlinked_at, timestamp '9999-12-31 00:00:00') as unlinked_at,
        contacts.created_at,
        contacts.contact_id
    from contacts
    left join email_owners
        on contacts.email_hash = email_owners.email_hash
        and contacts.created_at < email_owners.unlinked_at

),

-- Two contacts with one card: the older contact keeps it.
first_contacts as (

    select
        loyalty_id,
        customer_id,
        linked_at,
        unlinked_at,
        dense_rank() over (partition by loyalty_id order by created_at, contact_id) as place
    from contact_owners

),

cards as (

    select
        orders.loyalty_id,
        'card-' || orders.loyalty_id as customer_id,
        min(orders.known_at) as linked_at,
        coalesce(min(first_contacts.linked_at), timestamp '9999-12-31 00:00:00') as unlinked_at
    from {{ ref('int_orders__unioned') }} as orders
    left join first_contacts
        on orders.loyalty_id = first_contacts.loyalty_id
        and first_contacts.place = 1
    where orders.loyalty_id is not null
    group by orders.loyalty_id

),

owners as (

    select
        loyalty_id,
        customer_id,
        linked_at,
        unlinked_at
    from first_contacts
    where place = 1

    union all

    select
        loyalty_id,
        customer_id,
        linked_at,
        unlinked_at
    from cards

)

select * from owners
where linked_at < unlinked_at
