{{ config(materialized='view') }}

-- One row an example and feature: a number as it is, a flag as 1 and 0, a text as text.
with examples as (

    select *
    from {{ ref('training_examples') }}
    where split in ('train', 'validation', 'test')

)

{% for feature, value, is_text in training_feature_values() %}
select
    '{{ feature }}' as feature,
    query_id,
    product_id,
    split,
    label_view,
    label_cart,
    label_order,
    {{ 'cast(null as double)' if is_text else value }} as number_value,
    {{ feature if is_text else 'cast(null as string)' }} as text_value
from examples
{{ 'union all' if not loop.last }}
{% endfor %}
