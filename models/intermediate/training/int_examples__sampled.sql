-- Which products of a query a model learns from: those with which something happened, and some of those with which
-- nothing did. Which, a hash of the key decides: the same every time.
{%- set limits = var('negatives_per_query') %}
with queries as (

    select * from {{ ref('int_queries__asked') }}
    where split <> 'warm_up'

),

labelled as (

    select * from {{ ref('int_queries__labelled') }}

),

offered as (

    select * from {{ ref('int_products__offered') }}

),

-- Seen in a list and passed over.
shown as (

    select
        queries.query_id,
        impressions.product_id
    from queries
    inner join {{ ref('int_events__attributed') }} as events
        on queries.customer_id = events.customer_id
        and events.event_at >= queries.asked_at
        and events.event_at < queries.asked_at + interval '{{ var("label_days") }}' day
        and events.known_date < cast(queries.matured_at as date)
        and events.event_kind = 'impressions'
    inner join {{ ref('int_impressions__exploded') }} as impressions
        on events.source = impressions.source
        and events.event_id = impressions.event_id
    where impressions.product_id is not null
    group by queries.query_id, impressions.product_id
    having sum(events.change) > 0

),

sizes as (

    select
        feature_at,
        max(offered_products) as products
    from offered
    group by feature_at

),

-- Places among the products of the day: the more popular, the more often, or each as often as another.
draws as (
    {% for kind, power in {'popularity': 3, 'uniform': 1}.items() %}
    {%- set draw = "queries.query_id || ' " ~ kind ~ " ' || cast(draws.number as string)" %}
    select
        queries.query_id,
        queries.feature_at,
        '{{ kind }}' as negative_type,
        1 + cast(floor(sizes.products * power({{ hashed_share(draw) }}, {{ power }})) as bigint) as place
    from queries
    inner join sizes on queries.feature_at = sizes.feature_at
    cross join range(0, {{ limits[kind] }}) as draws (number)
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

negatives as (

    select
        query_id,
        product_id,
        'impression' as negative_type
    from shown

    union all

    select
        draws.query_id,
        offered.product_id,
        draws.negative_type
    from draws
    inner join offered
        on draws.feature_at = offered.feature_at
        and draws.place = offered.place

),

-- What was shown says more than what was drawn.
told_once as (

    select
        negatives.query_id,
        negatives.product_id,
        min(negatives.negative_type) as negative_type
    from negatives
    anti join labelled
        on negatives.query_id = labelled.query_id
        and negatives.product_id = labelled.product_id
    group by negatives.query_id, negatives.product_id

),

numbered as (

    select
        told_once.*,
        row_number() over (
            partition by query_id, negative_type
            order by {{ hashed_share("query_id || ' ' || product_id") }}, product_id
        ) as place
    from told_once

)

select
    labelled.query_id,
    labelled.product_id,
    labelled.label_view,
    labelled.label_cart,
    labelled.label_order,
    labelled.gain,
    cast(null as string) as negative_type
from labelled
inner join queries on labelled.query_id = queries.query_id

union all

select
    query_id,
    product_id,
    0 as label_view,
    0 as label_cart,
    0 as label_order,
    0 as gain,
    negative_type
from numbered
where
    place <= case negative_type
        {%- for kind, limit in limits.items() %}
        when '{{ kind }}' then {{ limit }}
        {%- endfor %}
    end
