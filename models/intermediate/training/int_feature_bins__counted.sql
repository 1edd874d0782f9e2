-- How often each outcome falls on each tenth of a feature's values in the train split. A text's values are its bins, what
-- is missing is a bin of its own.
with examples as (

    select *
    from {{ ref('training_examples') }}
    where split = 'train'

),

statistics as (

    select * from {{ ref('feature_statistics') }}
    where split = 'train'

)

{% for feature, value, is_text in training_feature_values() %}
select
    '{{ feature }}' as feature,
    {%- if is_text %}
    coalesce(examples.{{ feature }}, 'missing') as bin,
    {%- else %}
    coalesce(cast(
        {%- for tenth in range(1, 10) %}
        {{ '+ ' if not loop.first }}case when {{ value }} > statistics.p{{ tenth }}0 then 1 when {{ value }} is not null then 0 end
        {%- endfor %}
        as string
    ), 'missing') as bin,
    {%- endif %}
    examples.label_view,
    examples.label_cart,
    examples.label_order,
    count(*) as examples
from examples
inner join statistics on statistics.feature = '{{ feature }}'
group by bin, examples.label_view, examples.label_cart, examples.label_order
{{ 'union all' if not loop.last }}
{% endfor %}
