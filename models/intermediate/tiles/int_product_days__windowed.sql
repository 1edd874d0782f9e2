{{ config(materialized='incremental', unique_key='feature_at') }}

-- Sums over trailing windows for each day of each product. A tile enters a window on the day after it became known and
-- leaves it when its event is older than the window: sums of what entered and left cost one pass, for any number of days.
{%- set windows = {
    'views': [1, 7, 30, 90], 'carts': [1, 7, 30, 90], 'orders': [1, 7, 30, 90], 'revenue_minor': [1, 7, 30, 90],
    'clicks': [30], 'impressions': [30], 'web_orders': [30], 'units': [90], 'returned_units': [90]
} %}
with spans as (

    select
        product_id,
        min(feature_date) as first_date,
        max(feature_date) as last_date
    from {{ ref('int_feature_spine__products') }}
    where feature_at >= {{ replaced_from('feature_at') }}
    group by product_id

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
        moves.product_id,
        greatest(moves.feature_date, spans.first_date) as feature_date
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        sum({{ measure }}_{{ days }}d) as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from moves
    inner join spans
        on moves.product_id = spans.product_id
        and moves.feature_date <= spans.last_date
    group by moves.product_id, greatest(moves.feature_date, spans.first_date)

    union all

    select
        product_id,
        first_date as feature_date
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        0 as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from spans

),

-- What a move makes of the sums holds until the next.
summed as (

    select
        product_id,
        feature_date,
        lead(feature_date) over (partition by product_id order by feature_date) as next_feature_date
        {%- for measure, lengths in windows.items() %}{% for days in lengths %},
        cast(sum({{ measure }}_{{ days }}d) over so_far as bigint) as {{ measure }}_{{ days }}d
        {%- endfor %}{% endfor %}
    from daily
    window so_far as (
        partition by product_id
        order by feature_date
        range between unbounded preceding and current row
    )

)

select
    summed.product_id,
    cast({{ days_after('summed.feature_date', 'days.day_number') }} as timestamp) as feature_at
    {%- for measure, lengths in windows.items() %}{% for days in lengths %},
    summed.{{ measure }}_{{ days }}d
    {%- endfor %}{% endfor %}
from summed
inner join spans on summed.product_id = spans.product_id
inner join range(0, 10000) as days (day_number)
    on days.day_number < {{ days_between(
        'summed.feature_date', "coalesce(summed.next_feature_date, " ~ days_after('spans.last_date', 1) ~ ")"
    ) }}
