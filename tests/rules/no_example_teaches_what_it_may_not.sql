{{ config(group='recommender') }}

-- A label that has not matured says nothing, a negative has no outcome, and who does not want to be learnt from is in none.
select
    query_id,
    product_id,
    'a label that has not matured is known' as problem
from {{ ref('training_examples') }}
where not is_matured and coalesce(label_view, label_cart, label_order, gain) is not null

union all

select
    query_id,
    product_id,
    'a negative has an outcome' as problem
from {{ ref('training_examples') }}
where is_matured and (negative_type is null) <> (label_view + label_cart + label_order > 0)

union all

select
    examples.query_id,
    examples.product_id,
    'the customer refused' as problem
from {{ ref('training_examples') }} as examples
inner join {{ ref('dim_customers_history') }} as history on examples.customer_id = history.customer_id
cross join {{ ref('int_training_cutoffs') }} as cutoffs
where
    not history.has_personalization_consent
    and (
        -- On the last day that the examples know of.
        (
            history.valid_from < cast(cutoffs.last_date as timestamp)
            and history.valid_to >= cast(cutoffs.last_date as timestamp)
        )
        or (examples.asked_at >= history.valid_from and examples.asked_at < history.valid_to)
    )
