{{ config(materialized='incremental', unique_key='known_date') }}

-- Two that were viewed, or ordered, together stand once, the first by name before the other: their mirror image says the
-- same. Of a session, what changes changes as a whole: products that were added, or taken back, on the same day belong
-- together. The products of an order may become known one by one.
with products as (

    select * from {{ ref('int_basket_products__known') }}

),

session_pairs as (

    select
        case when others.side = 'viewed' then 'view_view' else 'view_order' end as relation,
        products.product_id,
        others.product_id as related_product_id,
        products.event_date,
        products.known_date,
        products.change
    from products
    inner join products as others
        on products.basket_id = others.basket_id
        and products.known_date = others.known_date
        and products.change = others.change
    where
        products.side = 'viewed'
        and (
            (others.side = 'viewed' and products.product_id < others.product_id)
            or (others.side = 'ordered' and products.product_id <> others.product_id)
        )
        and products.known_date >= {{ replaced_from('known_date') }}
        and others.known_date >= {{ replaced_from('known_date') }}

),

-- Of a large order some products are drawn.
ordered as (

    select * from {{ ref('int_order_products__known') }}
    where place <= {{ var('pair_products_per_order') }}

),

-- Products of an order have their places in the order in which they became known: the later one brings the pair.
order_pairs as (

    select
        'order_order' as relation,
        least(products.product_id, others.product_id) as product_id,
        greatest(products.product_id, others.product_id) as related_product_id,
        products.event_date,
        products.known_date,
        cast(1 as bigint) as change
    from ordered as products
    inner join ordered as others
        on products.order_id = others.order_id
        and products.place > others.place
    where products.known_date >= {{ replaced_from('known_date') }}

),

pairs as (

    select * from session_pairs
    union all
    select * from order_pairs

)

select
    relation,
    product_id,
    related_product_id,
    event_date,
    known_date,
    cast(sum(change) as bigint) as pairs
from pairs
group by relation, product_id, related_product_id, event_date, known_date
having sum(change) <> 0
