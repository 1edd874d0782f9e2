{%- set tenths = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] -%}
with drawn as (

    select
        feature,
        feature_at,
        number_value,
        text_value,
        count(*) as rows_counted
    from {{ ref('int_features__drawn') }}
    group by feature, feature_at, number_value, text_value

),

bounds as (

    select
        feature,
        {{ quantiles('number_value', tenths) }} as tenths
    from {{ ref('int_features__drawn') }}
    group by feature

),

-- A text that fewer than one in a hundred have is rare: single ones come and go by chance.
texts as (

    select
        feature,
        text_value,
        sum(rows_counted) * 100 < sum(sum(rows_counted)) over (partition by feature) as is_rare
    from drawn
    group by feature, text_value

),

binned as (

    select
        drawn.feature,
        drawn.feature_at,
        drawn.rows_counted,
        case
            when drawn.text_value is not null then case when texts.is_rare then 'rare' else '=' || drawn.text_value end
            when drawn.number_value is null then 'missing'
            {%- for tenth in tenths %}
            when drawn.number_value <= {{ array_item('bounds.tenths', loop.index) }} then 'up to {{ tenth }}'
            {%- endfor %}
            else 'above'
        end as bin
    from drawn
    inner join bounds on drawn.feature = bounds.feature
    inner join texts
        on drawn.feature = texts.feature
        and drawn.text_value is not distinct from texts.text_value

)

select
    feature,
    feature_at,
    bin,
    cast(sum(rows_counted) as bigint) as rows_counted
from binned
group by feature, feature_at, bin
