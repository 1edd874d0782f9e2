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

-- Most orders were said once whose they are: nothing of theirs has to be put in order.
said_again as (

    select order_id from named
    where version_number > 1

),

preceded as (

    select
        named.*,
        lag(account_id) over order_versions as previous_account_id,
        lag(email_hash) over order_versions as previous_email_hash,
        lag(loyalty_id) over order_versions as previous_loyalty_id
    from named
    semi join said_again on named.order_id = said_again.order_id
    window order_versions as (partition by named.order_id order by version_number)

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
        named.order_id,
        named.sales_channel,
        named.source_order_id,
        named.account_id,
        named.email_hash,
        named.loyalty_id,
        named.known_at as valid_from,
        timestamp '9999-12-31 00:00:00' as valid_to,
        true as is_first_owner
    from named
    anti join said_again on named.order_id = said_again.order_id

    union all

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
