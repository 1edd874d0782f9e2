{#-
    Fitted on the train split alone. Shares and rates go from 0 to 1 as their train values do (min-max); counts, sums and
    ranks, which have long tails, become their logarithm; all else has mean 0 and deviation 1. What is missing is the train
    mean. A text becomes its share of the train examples; for the few values of `one_hot` there is a 1 where it is that
    value.
-#}
{%- set one_hot = {
    'customer_rfm_segment': [
        'champion', 'loyal', 'promising', 'new', 'needs_attention', 'fading', 'at_risk', 'cannot_lose', 'hibernating',
        'lost', 'lost_big_spender', 'prospect'
    ],
    'customer_loyalty_tier': ['none', 'bronze', 'silver', 'gold']
} %}
{%- set features = training_feature_values() %}
with examples as (

    select * from {{ ref('training_examples') }}

),

-- One row with what was fitted.
fitted as (

    select
        {%- for feature, value, is_text in features if not is_text %}
        {%- for statistic in ['mean', 'deviation', 'minimum', 'maximum'] %}
        max(case when feature = '{{ feature }}' then {{ statistic }} end) as {{ feature }}__{{ statistic }},
        {%- endfor %}{% endfor %}
        count(*) as features
    from {{ ref('feature_statistics') }}
    where split = 'train'

),

shares as (

    select * from {{ ref('int_text_values__counted') }}

)

select
    examples.query_id,
    examples.product_id,
    examples.split,
    examples.label_view,
    examples.label_cart,
    examples.label_order,
    examples.gain,
    examples.sample_weight
    {%- for feature, value, is_text in features if not is_text %},
    {{ scaled(value, 'fitted.' ~ feature, scaling_of(feature)) }} as {{ feature }}
    {%- endfor %}
    {%- for feature, values in one_hot.items() %}{% for value in values %},
    case when examples.{{ feature }} = '{{ value }}' then 1e0 else 0e0 end as {{ feature }}__{{ value }}
    {%- endfor %}{% endfor %}
    {%- for feature, value, is_text in features if is_text and feature != 'product_category' %},
    coalesce({{ feature }}_shares.share, 0) as {{ feature }}
    {%- endfor %},
    coalesce(product_category_shares.share, 0) as product_category
from examples
cross join fitted
{%- for feature, value, is_text in features if is_text %}
left join shares as {{ feature }}_shares
    on {{ feature }}_shares.feature = '{{ feature }}'
    and examples.{{ feature }} = {{ feature }}_shares.text_value
{%- endfor %}
