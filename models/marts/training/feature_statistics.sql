{%- set shares = {'p01': 0.01} %}
{%- for tenth in range(1, 10) %}{% do shares.update({'p' ~ tenth ~ '0': tenth / 10}) %}{% endfor %}
{%- do shares.update({'p99': 0.99}) %}
{%- set labels = {'view': 'label_view', 'cart': 'label_cart', 'order': 'label_order'} %}
with examples as (

    select *
    from {{ ref('training_examples') }}
    where split in ('train', 'validation', 'test')

)

{% for feature, value, is_text in training_feature_values() %}
select
    '{{ feature }}' as feature,
    split,
    count(*) as examples,
    count(*) - count({{ feature }}) as nulls,
    count(distinct {{ feature }}) as distinct_values,
    {%- for statistic in ['avg', 'stddev_samp', 'min', 'max'] %}
    {%- set name = {'avg': 'mean', 'stddev_samp': 'deviation', 'min': 'minimum', 'max': 'maximum'}[statistic] %}
    {{ 'cast(null as double)' if is_text else statistic ~ '(' ~ value ~ ')' }} as {{ name }},
    {%- endfor %}
    {%- for name, share in shares.items() %}
    {{ 'cast(null as double)' if is_text else quantile(value, share) }} as {{ name }},
    {%- endfor %}
    {%- for name, label in labels.items() %}
    {%- set correlation = 'corr(' ~ value ~ ', cast(' ~ label ~ ' as double))' %}
    -- Of what never changes there is none; engines differ in how they say so.
    {{ 'cast(null as double)' if is_text else 'round(case when not isnan(' ~ correlation ~ ') then ' ~ correlation ~ ' end, 9)' }}
        as correlation_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from examples
group by split
{{ 'union all' if not loop.last }}
{% endfor %}
