-- How often each value of a text occurs in the train split: what frequency encoding reads.
with counted as (

    select
        feature,
        text_value,
        count(*) as examples
    from {{ ref('int_feature_values__told') }}
    where
        split = 'train'
        and text_value is not null
    group by feature, text_value

),

statistics as (

    select
        feature,
        examples
    from {{ ref('feature_statistics') }}
    where split = 'train'

)

select
    counted.feature,
    counted.text_value,
    cast(counted.examples as double) / statistics.examples as share
from counted
inner join statistics on counted.feature = statistics.feature
