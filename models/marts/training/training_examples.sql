with queries as (

    select * from {{ ref('int_queries__asked') }}

),

examples as (

    select * from {{ ref('int_examples__sampled') }}

),

-- A label that has not matured is unknown, and no negative.
judged as (

    select
        examples.query_id,
        examples.product_id,
        queries.customer_id,
        queries.asked_at,
        queries.feature_at,
        queries.matured_at,
        queries.is_matured,
        queries.split,
        case when queries.is_matured then examples.label_view end as label_view,
        case when queries.is_matured then examples.label_cart end as label_cart,
        case when queries.is_matured then examples.label_order end as label_order,
        case when queries.is_matured then examples.gain end as gain,
        case when queries.is_matured then examples.negative_type end as negative_type,
        -- Every query weighs the same, however much was shown.
        cast(1 as double) / count(*) over (partition by examples.query_id) as sample_weight
    from examples
    inner join queries on examples.query_id = queries.query_id

)

select judged.* {{- feature_columns() }}
from judged
{{ feature_joins('judged') }}
