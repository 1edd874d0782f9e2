-- Who a customer turned out to be, when all they were known by belongs to someone else now.
with links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type <> 'device'

),

gone as (

    select
        customer_id,
        max(unlinked_at) as succeeded_at
    from links
    group by customer_id
    having max(unlinked_at) < timestamp '9999-12-31 00:00:00'

),

succeeded as (

    select
        gone.customer_id,
        min(present.customer_id) as successor_id,
        min(gone.succeeded_at) as succeeded_at
    from gone
    inner join links as former
        on gone.customer_id = former.customer_id
        and gone.succeeded_at = former.unlinked_at
    inner join links as present
        on former.identifier_type = present.identifier_type
        and former.identifier = present.identifier
        and present.unlinked_at = timestamp '9999-12-31 00:00:00'
    group by gone.customer_id

)

select * from succeeded
