{{ config(materialized='incremental', unique_key='feature_at') }}

with pairs as (

    select * from {{ ref('int_product_pairs__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

baskets as (

    select * from {{ ref('int_baskets__windowed') }}
    where feature_at >= {{ replaced_from('feature_at') }}

),

-- Viewed together, or ordered together, each is the other's related product.
mirrored as (

    select
        relation,
        product_id,
        related_product_id,
        feature_at,
        pairs,
        pairs_micro
    from pairs

    union all

    select
        relation,
        related_product_id as product_id,
        product_id as related_product_id,
        feature_at,
        pairs,
        pairs_micro
    from pairs
    where relation <> 'view_order'

),

ranked as (

    select
        mirrored.*,
        row_number() over (
            partition by feature_at, relation, product_id
            order by pairs_micro desc, pairs desc, related_product_id asc
        ) as rank
    from mirrored

),

strongest as (

    select * from ranked
    where rank <= {{ var('pairs_per_product') }}

),

counted as (

    select
        strongest.product_id,
        strongest.related_product_id,
        strongest.relation,
        strongest.feature_at,
        strongest.pairs,
        cast(strongest.pairs_micro as double) / 1000000 as pairs_decayed,
        cast(strongest.pairs as double) / sqrt(cast(holding.baskets as double) * related.baskets) as cosine,
        cast(strongest.pairs as double) * total.baskets / (cast(holding.baskets as double) * related.baskets) as lift,
        strongest.rank
    from strongest
    inner join baskets as holding
        on strongest.feature_at = holding.feature_at
        and strongest.product_id = holding.product_id
        and holding.side = case when strongest.relation = 'order_order' then 'bought' else 'viewed' end
    inner join baskets as related
        on strongest.feature_at = related.feature_at
        and strongest.related_product_id = related.product_id
        and related.side = case strongest.relation
            when 'order_order' then 'bought'
            when 'view_order' then 'ordered'
            else 'viewed'
        end
    inner join baskets as total
        on strongest.feature_at = total.feature_at
        and total.side = case when strongest.relation = 'order_order' then 'order' else 'session' end

)

select * from counted
