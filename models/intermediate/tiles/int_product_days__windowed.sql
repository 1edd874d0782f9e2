{{ config(materialized='incremental', unique_key='feature_at') }}

-- Sums over trailing windows for each day of each product. A tile enters a window on the day after it became known and
-- leaves it when its event is older than the window: sums of what entered and left cost one pass, for any number of days.
{%- set windows = {
    'views': [1, 7, 30, 90], 'carts': [1, 7, 30, 90], 'orders': [1, 7, 30, 90], 'revenue_minor': [1, 7, 30, 90],
    'clicks': [30], 'impressions': [30], 'web_orders': [30], 'units': [90], 'returned_units': [90]
} %}
with spine as (

    select
        product_id,
        feature_date
    from {{ ref('int_feature_spine__products') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_product_days__tiled') }}
    where event_date >= {{ days_after(replaced_from('feature_at'), -91) if is_incremental() else "date '0001-01-01'" }}

),

moves as (

    select
        product_id,
        {{ days_after('known_date', 1) }} as feature_date
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        case when known_date < {{ days_after('event_date', days) }} then {{ measure }} else 0 end
            as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from tiles

    {%- for length in [1, 7, 30, 90] %}

    union all

    select
        product_id,
        {{ days_after('event_date', length + 1) }} as feature_date
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        {{ '-' ~ measure if days == length else 0 }} as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from tiles
    where known_date < {{ days_after('event_date', length) }}
    {%- endfor %}

),

daily as (

    select
        product_id,
        greatest(feature_date, {{ replaced_from('feature_at') }}) as feature_date
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        sum({{ measure }}_{{ days }}d) as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from moves
    group by product_id, greatest(feature_date, {{ replaced_from('feature_at') }})

),

-- A day between two moves has the sums of the first: both belong to the spine, or the day would be missing.
summed as (

    select
        coalesce(spine.product_id, daily.product_id) as product_id,
        coalesce(spine.feature_date, daily.feature_date) as feature_date,
        spine.product_id is not null as is_in_spine
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        cast(coalesce(sum(daily.{{ measure }}_{{ days }}d) over so_far, 0) as bigint) as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from spine
    full outer join daily
        on spine.product_id = daily.product_id
        and spine.feature_date = daily.feature_date
    window so_far as (
        partition by coalesce(spine.product_id, daily.product_id)
        order by coalesce(spine.feature_date, daily.feature_date)
        rows between unbounded preceding and current row
    )

)

select
    product_id,
    cast(feature_date as timestamp) as feature_at
    {%- for measure, lengths in windows.items() %}{% for days in lengths %},
    {{ measure }}_{{ days }}d
    {%- endfor %}{% endfor %}
from summed
where is_in_spine
