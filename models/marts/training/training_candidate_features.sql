{{ config(materialized='view') }}

-- What a ranker scores: every candidate with the features that it would have been served with.
with candidates as (

    select
        query_id,
        product_id,
        customer_id,
        feature_at,
        split,
        candidate_rank
    from {{ ref('training_candidates') }}

)

select candidates.* {{- feature_columns() }}
from candidates
{{ feature_joins('candidates') }}
