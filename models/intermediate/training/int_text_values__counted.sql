-- How often each value of a text occurs in the train split: what frequency encoding reads.
with examples as (

    select *
    from {{ ref('training_examples') }}
    where split = 'train'

)

{% for feature, value, is_text in training_feature_values() if is_text %}
select
    '{{ feature }}' as feature,
    {{ feature }} as text_value,
    cast(count(*) as double) / (select count(*) from examples) as share
from examples
where {{ feature }} is not null
group by {{ feature }}
{{ 'union all' if not loop.last }}
{% endfor %}
