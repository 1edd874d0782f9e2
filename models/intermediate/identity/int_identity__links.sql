-- Who each identifier belongs to, when (valid_from, valid_to), and from when until when that was known.
with owners as (

    select
        'email' as identifier_type,
        email_hash as identifier,
        customer_id,
        linked_at,
        unlinked_at
    from {{ ref('int_identity__email_owners') }}

    union all

    select
        'loyalty_id' as identifier_type,
        loyalty_id as identifier,
        customer_id,
        linked_at,
        unlinked_at
    from {{ ref('int_identity__card_owners') }}

    union all

    select
        'contact' as identifier_type,
        contact_id as identifier,
        customer_id,
        linked_at,
        unlinked_at
    from {{ ref('int_identity__contact_owners') }}

),

-- A device is linked to an account, or to an address, and the address to a customer.
devices as (

    select
        spans.device_id,
        coalesce(owners.customer_id, spans.identity) as customer_id,
        spans.valid_from,
        spans.valid_to,
        -- `greatest` and `least` pass over a null.
        greatest(spans.linked_at, owners.linked_at) as linked_at,
        least(spans.unlinked_at, owners.unlinked_at) as unlinked_at
    from {{ ref('int_identity__device_spans') }} as spans
    left join owners
        on spans.identity_type = owners.identifier_type
        and spans.identity = owners.identifier
    where spans.identity_type = 'account' or owners.identifier is not null

),

links as (

    select
        'device' as identifier_type,
        device_id as identifier,
        customer_id,
        valid_from,
        valid_to,
        linked_at,
        unlinked_at
    from devices

    union all

    select
        identifier_type,
        identifier,
        customer_id,
        timestamp '1900-01-01 00:00:00' as valid_from,
        timestamp '9999-12-31 00:00:00' as valid_to,
        linked_at,
        unlinked_at
    from owners

)

select * from links
where linked_at < unlinked_at
