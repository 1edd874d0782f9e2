{{ config(materialized='view') }}

with device_links as (

    select
        'anonymous_id' as identifier_type,
        anonymous_id as identifier,
        customer_id,
        valid_from,
        valid_to,
        linked_at,
        timestamp '9999-12-31 00:00:00' as unlinked_at
    from {{ ref('int_identity__device_links') }}

),

email_links as (

    select
        'email' as identifier_type,
        email_hash as identifier,
        customer_id,
        timestamp '1900-01-01 00:00:00' as valid_from,
        timestamp '9999-12-31 00:00:00' as valid_to,
        linked_at,
        unlinked_at
    from {{ ref('int_identity__email_owners') }}

),

card_links as (

    select
        'loyalty_id' as identifier_type,
        loyalty_id as identifier,
        customer_id,
        timestamp '1900-01-01 00:00:00' as valid_from,
        timestamp '9999-12-31 00:00:00' as valid_to,
        linked_at,
        unlinked_at
    from {{ ref('int_identity__card_owners') }}

),

links as (

    select * from device_links
    union all
    select * from email_links
    union all
    select * from card_links

)

select * from links
