-- What became known of a customer, and when: one row an attribute and value, until the next.
{%- set properties = ['lifecycle_stage', 'marketing_consent', 'personalization_consent'] %}
with contacts as (

    select * from {{ ref('int_contacts__versioned') }}

),

-- The CRM keeps a history of some properties; of the others it is known since when a version showed them.
shown as (

    select
        contact_id,
        'country_code' as attribute,
        country_code as value,
        updated_at as changed_at,
        updated_at as known_at
    from contacts
    where country_code is not null

    union all

    select
        contact_id,
        'loyalty_card' as attribute,
        'true' as value,
        min(known_at) as changed_at,
        min(known_at) as known_at
    from {{ ref('int_contacts__identified') }}
    where identifier_type = 'loyalty_id'
    group by contact_id

    {% for attribute in properties %}
    union all

    select
        contact_id,
        '{{ attribute }}' as attribute,
        cast({{ 'lifecycle_stage' if attribute == 'lifecycle_stage' else 'has_' ~ attribute }} as string) as value,
        updated_at as changed_at,
        updated_at as known_at
    from contacts
    where {{ attribute }}_history is null
    {% endfor %}

    union all

    select
        contact_id,
        property as attribute,
        value,
        changed_at,
        min(known_at) as known_at
    from {{ ref('stg_crm__property_changes') }}
    where property in ('{{ properties | join("', '") }}')
    group by contact_id, property, value, changed_at

),

-- What is told of a time before a change that is known already changes nothing.
ordered as (

    select
        shown.*,
        max(changed_at) over (partition by contact_id, attribute order by known_at) as last_changed_at
    from shown
    where value is not null

),

-- A shop that does not say when it changed an account shows it when the version lands.
accounts as (

    select
        account_id,
        country_code,
        coalesce(
            updated_at,
            case
                when lag(landed_at) over (partition by account_id order by landed_at, content_hash) is null then created_at
                else landed_at
            end
        ) as changed_at
    from {{ ref('stg_shop__customers') }}
    where record_status = 'accepted'

),

-- A contact's values are a customer's while the contact is.
linked as (

    select
        links.customer_id,
        ordered.attribute,
        ordered.value,
        greatest(ordered.known_at, links.linked_at) as valid_from,
        ordered.changed_at,
        ordered.contact_id as record_id
    from ordered
    inner join {{ ref('int_identity__contact_owners') }} as links
        on ordered.contact_id = links.contact_id
        and ordered.known_at < links.unlinked_at
    where ordered.changed_at >= ordered.last_changed_at

    union all

    select
        account_id as customer_id,
        'country_code' as attribute,
        country_code as value,
        changed_at as valid_from,
        changed_at,
        account_id as record_id
    from accounts
    where country_code is not null

),

-- Whatever was known last counts; of what was known at once, what was changed last.
last_known as (

    select
        linked.*,
        row_number() over (
            partition by customer_id, attribute, valid_from
            order by changed_at desc, record_id desc, value desc
        ) as place
    from linked

)

select
    customer_id,
    attribute,
    value,
    valid_from,
    coalesce(
        lead(valid_from) over (partition by customer_id, attribute order by valid_from),
        timestamp '9999-12-31 00:00:00'
    ) as valid_to
from last_known
where place = 1
