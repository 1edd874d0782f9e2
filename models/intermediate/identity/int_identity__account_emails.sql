-- The account that an address belongs to: the first to give it, from the version of the account that first shows it.
{%- set told_by = ['coalesce(updated_at, landed_at)', 'landed_at', 'content_hash'] %}
with versions as (

    select
        account_id,
        email_hash,
        created_at,
        coalesce(updated_at, landed_at) as updated_at,
        {{ version_number('account_id', told_by) }} as version_number
    from {{ ref('stg_shop__customers') }}
    where record_status = 'accepted'

),

given as (

    select
        email_hash,
        account_id,
        min(case when version_number = 1 then created_at else updated_at end) as linked_at
    from versions
    where email_hash is not null
    group by email_hash, account_id

),

numbered as (

    select
        given.*,
        row_number() over (partition by email_hash order by linked_at, account_id) as place
    from given

)

select
    email_hash,
    account_id,
    linked_at
from numbered
where place = 1
