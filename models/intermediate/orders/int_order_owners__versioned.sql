-- Whom an order named, from when to when: an order may be given to somebody else.
with orders as (

    select * from {{ ref('int_orders__unioned') }}

),

versions as (

    {% for source_name in var('owner_version_sources') %}
    select
        order_id,
        known_at,
        version_number,
        account_id,
        email_hash,
        loyalty_id
    from {{ ref('stg_' ~ source_name ~ '__sales_order_owners') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

named as (

    select
        versions.order_id,
        orders.sales_channel,
        orders.source_order_id,
        versions.known_at,
        versions.version_number,
        versions.account_id,
        versions.email_hash,
        versions.loyalty_id
    from versions
    inner join orders on versions.order_id = orders.order_id

    union all

    select
        orders.order_id,
        orders.sales_channel,
        orders.source_order_id,
        orders.known_at,
        1 as version_number,
        orders.account_id,
        orders.email_hash,
        orders.loyalty_id
    from orders
    anti join versions on orders.order_id = versions.order_id

),

preceded as (

    select
        named.*,
        lag(account_id) over order_versions as previous_account_id,
        lag(email_hash) over order_versions as previous_email_hash,
        lag(loyalty_id) over order_versions as previous_loyalty_id
    from named
    window order_versions as (partition by order_id order by version_number)

),

-- Most versions say something else than whose it is.
changed as (

    select * from preceded
    where
        version_number = 1
        or account_id is distinct from previous_account_id
        or email_hash is distinct from previous_email_hash
        or loyalty_id is distinct from previous_loyalty_id

),

spans as (

    select
        order_id,
        sales_channel,
        source_order_id,
        account_id,
        email_hash,
        loyalty_id,
        known_at as valid_from,
        coalesce(
            lead(known_at) over (partition by order_id order by version_number),
            timestamp '9999-12-31 00:00:00'
        ) as valid_to,
        version_number = 1 as is_first_owner
    from changed

)

select * from spans
