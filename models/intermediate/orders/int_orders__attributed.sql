with orders as (

    select * from {{ ref('int_order_owners__versioned') }}
    where valid_from < valid_to

),

links as (

    select * from {{ ref('int_identity__links') }}

),

by_account as (

    select
        order_id,
        account_id as customer_id,
        valid_from as attributed_at,
        valid_to as unattributed_at
    from orders
    where account_id is not null

),

-- A guest's order is the guest's until their address turns out to be an account's; from then on it is the account's.
by_link as (

    select
        orders.order_id,
        links.customer_id,
        greatest(orders.valid_from, links.linked_at) as attributed_at,
        least(orders.valid_to, links.unlinked_at) as unattributed_at
    from orders
    inner join links
        on links.identifier = case when orders.email_hash is not null then orders.email_hash else orders.loyalty_id end
        and links.identifier_type = case when orders.email_hash is not null then 'email' else 'loyalty_id' end
    where
        orders.account_id is null
        and orders.valid_from < links.unlinked_at
        and links.linked_at < orders.valid_to

),

attributed as (

    select * from by_account
    union all
    select * from by_link

)

select
    order_id,
    customer_id,
    attributed_at,
    unattributed_at,
    unattributed_at = timestamp '9999-12-31 00:00:00' as is_current
from attributed
