with links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type in ('email', 'loyalty_id')

),

-- Who a customer turned out to be, when all they were known by now belongs to someone else.
succeeded as (

    select
        former.customer_id,
        min(present.customer_id) as successor_id,
        max(former.unlinked_at) as succeeded_at
    from links as former
    inner join links as present
        on former.identifier_type = present.identifier_type
        and former.identifier = present.identifier
        and present.unlinked_at = timestamp '9999-12-31 00:00:00'
        and former.customer_id <> present.customer_id
    where former.unlinked_at < timestamp '9999-12-31 00:00:00'
    group by former.customer_id

)

select * from succeeded
