-- What customers ordered in the week after a visit: which of it had not been among the candidates, and why?
-- One row a kind of product, test queries alone. `found_share` is what a ranker can win at most. What the customer had
-- bought or looked at before should be found; low shares there are a fault of the sources of candidates, low shares
-- among the unknown are their limit.
with wanted as (

    select
        query_id,
        product_id,
        case
            when product_is_cold_start then '4 new in the catalog'
            when customer_product_orders_90d > 0 then '1 bought before'
            when customer_product_views_90d > 0 or customer_product_carts_90d > 0 then '2 looked at before'
            else '3 unknown to the customer'
        end as kind
    from {{ ref('training_examples') }}
    where
        label_order = 1
        and split = 'test'

),

candidates as (

    select
        query_id,
        product_id,
        candidate_rank
    from {{ ref('training_candidates') }}
    where split = 'test'

)

select
    wanted.kind,
    count(*) as ordered,
    count(candidates.candidate_rank) as found,
    round(count(candidates.candidate_rank) / count(*), 3) as found_share,
    round(count_if(candidates.candidate_rank <= 20) / count(*), 3) as among_first_20_share,
    median(candidates.candidate_rank) as median_rank
from wanted
left join candidates
    on wanted.query_id = candidates.query_id
    and wanted.product_id = candidates.product_id
group by wanted.kind
order by wanted.kind
