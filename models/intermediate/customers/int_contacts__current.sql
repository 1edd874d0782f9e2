with contacts as (

    select * from {{ ref('stg_crm__contacts') }}
    where is_latest_version

),

owners as (

    select * from {{ ref('int_identity__contact_owners') }}
    where unlinked_at = timestamp '9999-12-31 00:00:00'

),

-- Several contacts may turn out to be one customer: what the CRM changed last speaks for them.
owned as (

    select
        owners.customer_id,
        contacts.contact_id,
        contacts.country_code,
        contacts.lifecycle_stage,
        contacts.has_marketing_consent,
        contacts.has_personalization_consent,
        contacts.loyalty_id is not null as has_loyalty_card,
        row_number() over (
            partition by owners.customer_id
            order by contacts.is_archived asc, contacts.updated_at desc, contacts.contact_id asc
        ) as place
    from contacts
    inner join owners on contacts.contact_id = owners.contact_id

)

select
    customer_id,
    contact_id,
    country_code,
    lifecycle_stage,
    has_marketing_consent,
    has_personalization_consent,
    has_loyalty_card
from owned
where place = 1
