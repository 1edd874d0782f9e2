{%- set features = training_features() %}
with queries as (

    select * from {{ ref('int_queries__asked') }}

),

examples as (

    select * from {{ ref('int_examples__sampled') }}

),

customers as (

    select * from {{ ref('customer_features') }}

),

products as (

    select * from {{ ref('product_features') }}

),

customer_products as (

    select * from {{ ref('customer_product_features') }}

),

categories as (

    select * from {{ ref('customer_category_features') }}

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

select
    judged.*,
    {%- for name in features.customer.numbers + features.customer.texts %}
    customers.{{ name }} as customer_{{ name }},
    {%- endfor %}
    {%- for name in features.product.numbers + features.product.flags + features.product.texts %}
    products.{{ name }} as product_{{ name }},
    {%- endfor %}
    {%- for name in features.customer_product.counts %}
    coalesce(customer_products.{{ name }}, 0) as customer_product_{{ name }},
    {%- endfor %}
    {%- for name in features.customer_product.numbers %}
    customer_products.{{ name }} as customer_product_{{ name }},
    {%- endfor %}
    {%- for name in features.customer_product.flags %}
    coalesce(customer_products.{{ name }}, false) as customer_product_{{ name }},
    {%- endfor %}
    {%- for name in features.customer_category.numbers %}
    categories.{{ name }} as customer_category_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from judged
inner join customers
    on judged.customer_id = customers.customer_id
    and judged.feature_at = customers.feature_at
left join products
    on judged.product_id = products.product_id
    and judged.feature_at = products.feature_at
left join customer_products
    on judged.customer_id = customer_products.customer_id
    and judged.product_id = customer_products.product_id
    and judged.feature_at = customer_products.feature_at
left join categories
    on judged.customer_id = categories.customer_id
    and products.category = categories.category
    and judged.feature_at = categories.feature_at
