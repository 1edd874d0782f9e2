with customers as (

    select * from {{ ref('int_customers__found') }}

),

accounts as (

    select * from {{ ref('int_accounts__current') }}

),

contacts as (

    select * from {{ ref('int_contacts__current') }}

),

successors as (

    select * from {{ ref('int_identity__successors') }}

),

first_orders as (

    select
        customer_id,
        ordered_at
    from {{ ref('fct_orders') }}
    where is_first_order

),

described as (

    select
        customers.customer_id,
        customers.customer_type,
        customers.first_known_at,
        first_orders.ordered_at as first_ordered_at,
        accounts.created_at as account_created_at,
        coalesce(accounts.country_code, contacts.country_code) as country_code,
        contacts.contact_id as crm_contact_id,
        contacts.lifecycle_stage,
        coalesce(contacts.has_marketing_consent, accounts.has_marketing_consent) as has_marketing_consent,
        contacts.has_personalization_consent,
        coalesce(contacts.has_loyalty_card, customers.customer_type = 'card') as has_loyalty_card,
        successors.successor_id as succeeded_by_customer_id,
        successors.succeeded_at
    from customers
    left join accounts on customers.customer_id = accounts.customer_id
    left join contacts on customers.customer_id = contacts.customer_id
    left join first_orders on customers.customer_id = first_orders.customer_id
    left join successors on customers.customer_id = successors.customer_id

)

select * from described
