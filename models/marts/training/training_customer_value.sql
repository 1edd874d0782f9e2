{%- set features = training_features() %}
{%- set horizon = 30 + var('label_grace_days') %}
with queries as (

    select * from {{ ref('int_queries__asked') }}

),

cutoffs as (

    select * from {{ ref('int_training_cutoffs') }}

),

-- Orders of the 30 days from the first moment of the day on, as they were known when the label matured.
next_orders as (

    select
        queries.query_id,
        changes.order_id,
        sum(changes.units) as units,
        sum(changes.gross_minor - changes.discount_minor - changes.refund_minor) as revenue_minor
    from queries
    inner join {{ ref('int_order_changes__attributed') }} as changes
        on queries.customer_id = changes.customer_id
        and changes.event_date >= queries.feature_date
        and changes.event_date < {{ days_after('queries.feature_date', 30) }}
        and changes.known_date < {{ days_after('queries.feature_date', horizon) }}
    group by queries.query_id, changes.order_id

),

outcomes as (

    select
        query_id,
        cast(count_if(units > 0) as bigint) as orders,
        cast(sum(revenue_minor) as bigint) as revenue_minor
    from next_orders
    group by query_id

),

-- This label takes longer: the test is earlier, the embargo as long as the label.
dated as (

    select
        queries.query_id,
        queries.customer_id,
        queries.feature_at,
        queries.feature_date,
        {{ days_after('queries.feature_date', horizon) }} as matured_date,
        cutoffs.last_date,
        cutoffs.train_from,
        {{ days_after('cutoffs.last_date', -horizon - var('test_days')) }} as test_from
    from queries
    cross join cutoffs

),

judged as (

    select
        dated.customer_id,
        dated.feature_at,
        cast(dated.matured_date as timestamp) as matured_at,
        dated.matured_date < dated.last_date as is_matured,
        case
            when dated.matured_date >= dated.last_date then 'unmatured'
            when dated.feature_date < dated.train_from then 'warm_up'
            when dated.feature_date >= dated.test_from then 'test'
            when dated.matured_date >= dated.test_from then 'embargo'
            else 'train'
        end as split,
        case when dated.matured_date < dated.last_date then coalesce(outcomes.orders, 0) end as orders_next_30d,
        case
            when dated.matured_date < dated.last_date then coalesce(cast(outcomes.revenue_minor as double) / 100, 0)
        end as revenue_next_30d
    from dated
    left join outcomes on dated.query_id = outcomes.query_id

)

select
    judged.*
    {%- for name in features.customer.numbers + features.customer.texts[:-1] %},
    customers.{{ name }} as customer_{{ name }}
    {%- endfor %},
    customers.country_code as customer_country_code
from judged
inner join {{ ref('customer_features') }} as customers
    on judged.customer_id = customers.customer_id
    and judged.feature_at = customers.feature_at
