-- A product that several sources propose comes from the one that ranks it first; of equals, from the one that knows the
-- customer better.
{%- set sources = ['repurchase', 'co_visit', 'category', 'popularity'] %}
with ranked as (

    select
        candidates.*,
        case source
            {%- for source in sources %}
            when '{{ source }}' then {{ loop.index }}
            {%- endfor %}
        end as source_order
    from {{ ref('int_candidates__ranked') }} as candidates

),

placed as (

    select
        ranked.*,
        row_number() over (partition by query_id, product_id order by source_rank, source_order) as source_place
    from ranked

),

-- Round by round: the first of every source, then the second, …
merged as (

    select
        placed.*,
        row_number() over (partition by query_id order by source_rank, source_order) as candidate_rank
    from placed
    where source_place = 1

)

select
    merged.query_id,
    merged.product_id,
    queries.customer_id,
    queries.feature_at,
    queries.split,
    merged.source,
    merged.source_rank,
    merged.source_score,
    merged.candidate_rank
from merged
inner join {{ ref('int_queries__asked') }} as queries on merged.query_id = queries.query_id
