with accounts as (

    select
        account_id as customer_id,
        'account' as customer_type,
        min(created_at) as first_known_at
    from {{ ref('stg_shop__customers') }}
    where record_status = 'accepted'
    group by account_id

),

-- A contact with an address is found by its link, unless the address was an account's all along.
contacts as (

    select
        'crm-' || contact_id as customer_id,
        'contact' as customer_type,
        min(created_at) as first_known_at
    from {{ ref('stg_crm__contacts') }}
    where record_status = 'accepted'
    group by contact_id
    having count(email_hash) = 0

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
        customer_id,
        'account' as customer_type,
        min(attributed_at) as first_known_at
    from {{ ref('int_events__attributed') }}
    where customer_id is not null
    group by customer_id

),

ordering as (

    select
        account_id as customer_id,
        'account' as customer_type,
        min(known_at) as first_known_at
    from {{ ref('int_orders__unioned') }}
    where account_id is not null
    group by account_id

),

sightings as (

    select * from accounts
    union all
    select * from contacts
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
