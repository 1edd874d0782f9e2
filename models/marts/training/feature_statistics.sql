{%- set shares = {
    'p01': 0.01, 'p10': 0.1, 'p20': 0.2, 'p30': 0.3, 'p40': 0.4, 'p50': 0.5, 'p60': 0.6, 'p70': 0.7, 'p80': 0.8, 'p90': 0.9,
    'p99': 0.99
} %}
with summed as (

    select
        feature,
        split,
        count(*) as examples,
        cast(count_if(number_value is null and text_value is null) as bigint) as nulls,
        count(distinct number_value) + count(distinct text_value) as distinct_values,
        avg(number_value) as mean,
        stddev_samp(number_value) as deviation,
        min(number_value) as minimum,
        max(number_value) as maximum,
        {{ quantiles('number_value', shares.values() | list) }} as quantiles,
        corr(number_value, cast(label_view as double)) as correlation_view,
        corr(number_value, cast(label_cart as double)) as correlation_cart,
        corr(number_value, cast(label_order as double)) as correlation_order
    from {{ ref('int_feature_values__told') }}
    group by feature, split

)

select
    feature,
    split,
    examples,
    nulls,
    distinct_values,
    {{ settled('mean') }} as mean,
    {{ settled('deviation') }} as deviation,
    minimum,
    maximum,
    {%- for name in shares %}
    {{ array_item('quantiles', loop.index) }} as {{ name }},
    {%- endfor %}
    -- Of what never changes there is none; engines differ in how they say so. A zero has no sign.
    case when not isnan(correlation_view) then round(correlation_view, 6) + 0e0 end as correlation_view,
    case when not isnan(correlation_cart) then round(correlation_cart, 6) + 0e0 end as correlation_cart,
    case when not isnan(correlation_order) then round(correlation_order, 6) + 0e0 end as correlation_order
from summed
