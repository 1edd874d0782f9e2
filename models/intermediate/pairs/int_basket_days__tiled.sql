{{ config(materialized='incremental', unique_key='known_date') }}

-- How many baskets hold a product, and how many there are (`any product`).
with products as (

    select * from {{ ref('int_basket_products__known') }}
    where known_date >= {{ replaced_from('known_date') }}

),

-- A basket is there from when its first product is known.
baskets as (

    select
        basket_id,
        'session' as basket_kind,
        event_date,
        known_date,
        change
    from products
    where side <> 'bought'
    group by basket_id, event_date, known_date, change

    union all

    select
        order_id as basket_id,
        'order' as basket_kind,
        event_date,
        known_date,
        cast(1 as bigint) as change
    from {{ ref('int_order_products__known') }}
    where
        place = 1
        and known_date >= {{ replaced_from('known_date') }}

)

select
    side,
    product_id,
    event_date,
    known_date,
    cast(sum(change) as bigint) as baskets
from products
group by side, product_id, event_date, known_date
having sum(change) <> 0

union all

select
    basket_kind as side,
    'any product' as product_id,
    event_date,
    known_date,
    cast(sum(change) as bigint) as baskets
from baskets
group by basket_kind, event_date, known_date
having sum(change) <> 0
