{{ config(materialized='incremental', unique_key='feature_at') }}

with spine as (

    select * from {{ ref('int_feature_spine__pairs') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

tiles as (

    select * from {{ ref('int_product_pair_days__tiled') }}

)

select
    tiles.relation,
    tiles.product_id,
    tiles.related_product_id,
    spine.feature_at,
    cast(sum(tiles.pairs) as bigint) as pairs,
    -- In millionths, so that a sum is the same whatever its order.
    cast(sum(
        tiles.pairs * {{ decayed_micro(days_between('tiles.event_date', 'spine.feature_date')) }}
    ) as bigint) as pairs_micro
from spine
inner join tiles
    on tiles.event_date >= {{ days_after('spine.feature_date', -90) }}
    and tiles.event_date < spine.feature_date
    and tiles.known_date < spine.feature_date
group by tiles.relation, tiles.product_id, tiles.related_product_id, spine.feature_at
having sum(tiles.pairs) > 0
