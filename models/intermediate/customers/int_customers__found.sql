with accounts as (

    select
        account_id as customer_id,
        'account' as customer_type,
        min(created_at) as first_known_at
    from {{ ref('stg_shop__customers') }}
    where record_status = 'accepted'
    group by account_id

),

linked as (

    select
        customer_id,
        case
            when customer_id like 'guest-%' then 'guest'
            when customer_id like 'card-%' then 'card'
            when customer_id like 'crm-%' then 'contact'
            else 'account'
        end as customer_type,
        min(linked_at) as first_known_at
    from {{ ref('int_identity__links') }}
    group by customer_id

),

logged_in as (

    select
        identity as customer_id,
        'account' as customer_type,
        min(known_at) as first_known_at
    from {{ ref('int_identity__logins') }}
    where identity_type = 'account'
    group by identity

),

ordering as (

    select
        account_id as customer_id,
        'account' as customer_type,
        min(valid_from) as first_known_at
    from {{ ref('int_order_owners__versioned') }}
    where account_id is not null
    group by account_id

),

sightings as (

    select * from accounts
    union all
    select * from linked
    union all
    select * from logged_in
    union all
    select * from ordering

)

select
    customer_id,
    min(customer_type) as customer_type,
    min(first_known_at) as first_known_at
from sightings
group by customer_id
