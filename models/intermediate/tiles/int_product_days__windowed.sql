{{ config(materialized='incremental', unique_key='feature_at', meta={'rows_stand': true}) }}

-- Sums over trailing windows for each day of each product. A tile enters a window on the day after it became known and
-- leaves it when its event is older than the window: sums of what entered and left cost one pass, for any number of days.
-- Of a single day there is nothing to sum: it counts what was known before it ended.
-- The spine has every day of a product from a first one on: what happened before is there when it begins.
{%- set of_a_day = ['views', 'carts', 'orders', 'revenue_minor'] %}
{%- set windows = {
    'views': [7, 30, 90], 'carts': [7, 30, 90], 'orders': [7, 30, 90], 'revenue_minor': [7, 30, 90],
    'clicks': [30], 'impressions': [30], 'web_orders': [30], 'units': [90], 'returned_units': [90]
} %}
with spine as (

    select
        product_id,
        feature_at,
        feature_date
    from {{ ref('int_feature_spine__products') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

first_days as (

    select
        product_id,
        min(feature_date) as first_date
    from spine
    group by product_id

),

tiles as (

    select
        tiles.*,
        greatest({{ days_after('tiles.known_date', 1) }}, first_days.first_date) as entered_date
    from {{ ref('int_product_days__tiled') }} as tiles
    inner join first_days on tiles.product_id = first_days.product_id
    where tiles.event_date >= {{ first_event_day() }}

),

-- In doubles, which add up whole numbers of up to 16 digits exactly, and in half the time.
entered as (

    select
        product_id,
        {%- for measure in of_a_day %}
        sum(case when entered_date = {{ days_after('event_date', 1) }} then cast({{ measure }} as double) end)
            as {{ measure }}_1d,
        {%- endfor %}
        {%- for measure in windows %}
        sum(cast({{ measure }} as double)) as {{ measure }},
        {%- endfor %}
        entered_date as feature_date
    from tiles
    group by product_id, feature_date

),

{% for days in [7, 30, 90] -%}
left_{{ days }}d as (

    select
        product_id,
        {%- for measure, lengths in windows.items() if days in lengths %}
        sum(cast({{ measure }} as double)) as {{ measure }},
        {%- endfor %}
        greatest(entered_date, {{ days_after('event_date', days + 1) }}) as feature_date
    from tiles
    group by product_id, feature_date

),

{% endfor -%}
moved as (

    select
        spine.product_id,
        spine.feature_at
        {%- for measure in of_a_day %},
        coalesce(entered.{{ measure }}_1d, 0) as {{ measure }}_1d
        {%- endfor %}
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        coalesce(entered.{{ measure }}, 0) - coalesce(left_{{ days }}d.{{ measure }}, 0) as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from spine
    left join entered
        on spine.product_id = entered.product_id
        and spine.feature_date = entered.feature_date
    {%- for days in [7, 30, 90] %}
    left join left_{{ days }}d
        on spine.product_id = left_{{ days }}d.product_id
        and spine.feature_date = left_{{ days }}d.feature_date
    {%- endfor %}

)

select
    product_id,
    feature_at
    {%- for measure in of_a_day %},
    cast({{ measure }}_1d as bigint) as {{ measure }}_1d
    {%- endfor %}
    {%- for measure, lengths in windows.items() %}{% for days in lengths %},
    cast(sum({{ measure }}_{{ days }}d) over so_far as bigint) as {{ measure }}_{{ days }}d
    {%- endfor %}{% endfor %}
from moved
window so_far as (
    partition by product_id
    order by feature_at
    rows between unbounded preceding and current row
)
