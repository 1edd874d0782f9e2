-- Whose a loyalty card is: its own customer, until a CRM contact names it; then whoever that contact is.
with given as (

    select
        identifier as loyalty_id,
        contact_id,
        known_at as linked_at
    from {{ ref('int_contacts__identified') }}
    where identifier_type = 'loyalty_id'

),

-- Two contacts with one card: the first to name it keeps it.
first_contacts as (

    select
        given.*,
        row_number() over (partition by loyalty_id order by linked_at, contact_id) as place
    from given

),

contacts as (

    select
        first_contacts.loyalty_id,
        owners.customer_id,
        greatest(first_contacts.linked_at, owners.linked_at) as linked_at,
        owners.unlinked_at
    from first_contacts
    inner join {{ ref('int_identity__contact_owners') }} as owners on first_contacts.contact_id = owners.contact_id
    where first_contacts.place = 1

),

cards as (

    select
        orders.loyalty_id,
        'card-' || orders.loyalty_id as customer_id,
        min(orders.valid_from) as linked_at,
        coalesce(min(first_contacts.linked_at), timestamp '9999-12-31 00:00:00') as unlinked_at
    from {{ ref('int_order_owners__versioned') }} as orders
    left join first_contacts
        on orders.loyalty_id = first_contacts.loyalty_id
        and first_contacts.place = 1
    where orders.loyalty_id is not null
    group by orders.loyalty_id

),

owners as (

    select * from contacts
    union all
    select * from cards

)

select * from owners
where linked_at < unlinked_at
