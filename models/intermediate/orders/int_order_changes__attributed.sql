{{ config(materialized='incremental', unique_key='known_date') }}

-- The changes of order lines with whose they are: added on the day they are known to be a customer's, taken back on the day
-- the order turns out to be someone else's.
with changes as (

    select * from {{ ref('int_order_changes__valued') }}

),

owners as (

    select * from {{ ref('int_orders__attributed') }}

),

owned as (

    select
        owners.customer_id,
        changes.order_id,
        changes.product_id,
        cast(changes.ordered_at as date) as event_date,
        cast(greatest(changes.known_at, owners.attributed_at) as date) as attributed_date,
        cast(owners.unattributed_at as date) as unattributed_date,
        changes.units,
        changes.returned_units,
        changes.gross_minor,
        changes.discount_minor,
        changes.refund_minor
    from changes
    inner join owners on changes.order_id = owners.order_id

)

select
    customer_id,
    order_id,
    product_id,
    event_date,
    attributed_date as known_date,
    units,
    returned_units,
    gross_minor,
    discount_minor,
    refund_minor
from owned
where
    attributed_date < unattributed_date
    and attributed_date >= {{ replaced_from('known_date') }}

union all

select
    customer_id,
    order_id,
    product_id,
    event_date,
    unattributed_date as known_date,
    -units as units,
    -returned_units as returned_units,
    -gross_minor as gross_minor,
    -discount_minor as discount_minor,
    -refund_minor as refund_minor
from owned
where
    attributed_date < unattributed_date
    and unattributed_date < date '9999-12-31'
    and unattributed_date >= {{ replaced_from('known_date') }}
