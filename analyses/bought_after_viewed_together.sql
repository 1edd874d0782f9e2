-- Which products are bought by those who looked at another?
-- One row a pair, the hundred most frequent as of the last day. `pairs` counts the sessions in which the first was
-- viewed and the second bought, `lift` how many times more often than chance would have it: a high lift of few pairs is
-- luck. Those of another category are what a shelf "goes with it" is made of.
with pairs as (

    select * from {{ ref('product_pairs') }}
    where
        relation = 'view_order'
        and feature_at = (select max(feature_at) from {{ ref('product_pairs') }})

),

products as (

    select * from {{ ref('dim_products') }}

)

select
    viewed.title as viewed,
    bought.title as bought,
    viewed.category = bought.category as is_same_category,
    pairs.pairs,
    round(pairs.lift, 1) as lift,
    pairs.rank
from pairs
inner join products as viewed on pairs.product_id = viewed.product_id
inner join products as bought on pairs.related_product_id = bought.product_id
order by pairs.pairs desc, pairs.lift desc, pairs.product_id asc, pairs.related_product_id asc
limit 100
