-- Features that say the same as another: how they correlate over some 5,000 examples of the train split, drawn by a hash.
with counted as (

    select count(*) as examples
    from {{ ref('training_examples') }}
    where split = 'train'

),

drawn as (

    select examples.*
    from {{ ref('training_examples') }} as examples
    cross join counted
    where
        examples.split = 'train'
        and {{ hashed_share("examples.query_id || ' ' || examples.product_id") }} < 5000e0 / counted.examples

),

told as (

    {% for feature, value, is_text in training_feature_values() if not is_text %}
    select
        '{{ feature }}' as feature,
        query_id,
        product_id,
        {{ value }} as number_value
    from drawn
    where {{ feature }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

correlated as (

    select
        told.feature,
        others.feature as other_feature,
        corr(told.number_value, others.number_value) as correlation
    from told
    inner join told as others
        on told.query_id = others.query_id
        and told.product_id = others.product_id
        and told.feature < others.feature
    group by told.feature, others.feature

)

select
    feature,
    other_feature,
    round(correlation, 6) as correlation
from correlated
where
    not isnan(correlation)
    and abs(correlation) >= {{ var('redundant_correlation') }}
