{#-
    How often each outcome falls on each bin of a feature's values in the train split. Bins lie between tenths, and beyond
    the first and the last hundredth; a value that is a tenth itself, as zero often is, has a bin to itself, so that what few
    have is not lost in it. A text's values are its bins, what is missing is one.
-#}
{%- set bounds = ['01', '10', '20', '30', '40', '50', '60', '70', '80', '90', '99'] %}
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
            {%- for bound in bounds %}
            when told.number_value < statistics.p{{ bound }} then 'below p{{ bound }}'
            when told.number_value = statistics.p{{ bound }} then 'p{{ bound }}'
            {%- endfor %}
            else 'above p99'
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
