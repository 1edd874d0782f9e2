-- How often each outcome falls on each tenth of a feature's values in the train split. A text's values are its bins, what
-- is missing is a bin of its own.
with told as (

    select * from {{ ref('int_feature_values__told') }}
    where split = 'train'

),

statistics as (

    select * from {{ ref('feature_statistics') }}
    where split = 'train'

),

binned as (

    select
        told.feature,
        case
            when told.text_value is not null then told.text_value
            when told.number_value is null then 'missing'
            {%- for tenth in range(1, 10) %}
            when told.number_value <= statistics.p{{ tenth }}0 then '{{ tenth }}'
            {%- endfor %}
            else '10'
        end as bin,
        told.label_view,
        told.label_cart,
        told.label_order
    from told
    inner join statistics on told.feature = statistics.feature

)

select
    feature,
    bin,
    label_view,
    label_cart,
    label_order,
    count(*) as examples
from binned
group by feature, bin, label_view, label_cart, label_order
