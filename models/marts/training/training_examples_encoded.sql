{#-
    Fitted on the train split alone. Shares and rates go from 0 to 1 as their train values do (min-max); counts, sums and ranks,
    which have long tails, become their logarithm; all else has mean 0 and deviation 1. What is missing is the train mean. A text
    becomes its share of the train examples; for the few values of `one_hot` there is a 1 where it is that value.
-#}
{%- set one_hot = {
    'customer_rfm_segment': [
        'champion', 'loyal', 'promising', 'new', 'needs_attention', 'fading', 'at_risk', 'cannot_lose', 'hibernating',
        'lost', 'lost_big_spender', 'prospect'
    ],
    'customer_loyalty_tier': ['none', 'bronze', 'silver', 'gold']
} %}
{%- set numbers, flags, texts = [], [], [] %}
{%- for table, kinds in training_features().items() %}
    {%- for name in kinds.counts + kinds.numbers %}{% do numbers.append(table ~ '_' ~ name) %}{% endfor %}
    {%- for name in kinds.flags %}{% do flags.append(table ~ '_' ~ name) %}{% endfor %}
    {%- for name in kinds.texts %}{% do texts.append(table ~ '_' ~ name) %}{% endfor %}
{%- endfor %}
with examples as (

    select * from {{ ref('training_examples') }}

),

-- One row with what was fitted.
fitted as (

    select
        {%- for feature in numbers %}
        {%- for statistic in ['mean', 'deviation', 'minimum', 'maximum'] %}
        max(case when feature = '{{ feature }}' then {{ statistic }} end) as {{ feature }}__{{ statistic }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
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
    examples.sample_weight,
    {%- for feature in numbers %}
    {{ scaled('examples.' ~ feature, 'fitted.' ~ feature, scaling_of(feature)) }} as {{ feature }},
    {%- endfor %}
    {%- for feature in flags %}
    case when examples.{{ feature }} then 1e0 else 0e0 end as {{ feature }},
    {%- endfor %}
    {%- for feature, values in one_hot.items() %}
    {%- for value in values %}
    case when examples.{{ feature }} = '{{ value }}' then 1e0 else 0e0 end as {{ feature }}__{{ value }},
    {%- endfor %}
    {%- endfor %}
    {%- for feature in texts %}
    coalesce({{ feature }}_shares.share, 0) as {{ feature }}{{ ',' if not loop.last }}
    {%- endfor %}
from examples
cross join fitted
{%- for feature in texts %}
left join shares as {{ feature }}_shares
    on {{ feature }}_shares.feature = '{{ feature }}'
    and examples.{{ feature }} = {{ feature }}_shares.text_value
{%- endfor %}
