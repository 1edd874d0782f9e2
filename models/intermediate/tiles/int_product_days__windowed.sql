with spine as (

    select * from {{ ref('int_feature_spine__products') }}

),

tiles as (

    select * from {{ ref('int_product_days__tiled') }}

),

-- `age` counts the days back from feature_at: yesterday is 1.
aged as (

    select
        spine.product_id,
        spine.feature_at,
        {{ days_between('tiles.event_date', 'spine.feature_date') }} as age,
        tiles.views,
        tiles.carts,
        tiles.clicks,
        tiles.impressions,
        tiles.orders,
        tiles.units,
        tiles.returned_units,
        tiles.revenue_minor
    from spine
    inner join tiles
        on spine.product_id = tiles.product_id
        and tiles.event_date >= {{ days_after('spine.feature_date', -90) }}
        and tiles.event_date < spine.feature_date
        and tiles.known_date < spine.feature_date

)

select
    product_id,
    feature_at,
    {{ windowed_sums('views', 'age') }},
    {{ windowed_sums('carts', 'age') }},
    {{ windowed_sums('orders', 'age') }},
    {{ windowed_sums('revenue_minor', 'age') }},
    {{ windowed_sums('clicks', 'age', [30]) }},
    {{ windowed_sums('impressions', 'age', [30]) }},
    {{ windowed_sums('units', 'age', [90]) }},
    {{ windowed_sums('returned_units', 'age', [90]) }}
from aged
group by product_id, feature_at
