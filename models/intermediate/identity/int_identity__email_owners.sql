with accounts as (

    select
        email_hash,
        account_id as customer_id,
        1 as owner_rank,
        -- An address given later than the account is known from the version that first shows it.
        min(case when version_number = 1 then created_at else updated_at end) as linked_at
    from (
        select
            account_id,
            email_hash,
            created_at,
            coalesce(updated_at, created_at) as updated_at,
            row_number() over (partition by account_id order by updated_at, landed_at, content_hash) as version_number
        from {{ ref('stg_shop__customers') }}
        where record_status = 'accepted'
    ) as versions
    where email_hash is not null
    group by email_hash, account_id

),

contacts as (

    select
        email_hash,
        'crm-' || contact_id as customer_id,
        2 as owner_rank,
        min(created_at) as linked_at
    from {{ ref('stg_crm__contacts') }}
    where
        record_status = 'accepted'
        and email_hash is not null
    group by email_hash, contact_id

),

guests as (

    select
        email_hash,
        'guest-' || substr(email_hash, 1, 16) as customer_id,
        3 as owner_rank,
        min(known_at) as linked_at
    from {{ ref('int_orders__unioned') }}
    where
        email_hash is not null
        and account_id is null
    group by email_hash

),

candidates as (

    select * from accounts
    union all
    select * from contacts
    union all
    select * from guests

),

-- Within a rank the first to use the address owns it.
owners as (

    select
        candidates.*,
        row_number() over (partition by email_hash, owner_rank order by linked_at, customer_id) as place
    from candidates

),

-- An account outranks a contact, a contact a guest: from when the better one is known the lesser gives way.
ranked as (

    select
        email_hash,
        customer_id,
        owner_rank,
        linked_at,
        coalesce(
            min(linked_at) over (
                partition by email_hash
                order by owner_rank
                rows between unbounded preceding and 1 preceding
            ),
            timestamp '9999-12-31 00:00:00'
        ) as unlinked_at
    from owners
    where place = 1

)

select * from ranked
where linked_at < unlinked_at
