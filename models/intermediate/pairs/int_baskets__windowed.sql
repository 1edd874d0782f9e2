{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__pairs') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_basket_days__tiled') }}

)

select
    tiles.side,
    tiles.product_id,
    spine.feature_at,
    cast(sum(tiles.baskets) as bigint) as baskets
from spine
inner join tiles
    on tiles.event_date >= {{ days_after('spine.feature_date', -90) }}
    and tiles.event_date < spine.feature_date
    and tiles.known_date < spine.feature_date
group by tiles.side, tiles.product_id, spine.feature_at
having sum(tiles.baskets) > 0
