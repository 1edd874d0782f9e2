{{ config(materialized='view') }}

{%- set keys = {
    'customer': ['customer_id'],
    'product': ['product_id'],
    'customer_product': ['customer_id', 'product_id'],
    'customer_category': ['customer_id', 'category']
} %}

-- Mondays only: what a feature says of a Sunday it does not say of a weekday.
with {% for table, key in keys.items() -%}
{{ table }}_mondays as (

    select
        *,
        count(*) over (partition by feature_at) as day_rows
    from {{ ref(table ~ '_features') }}
    where
        {{ days_between("date '1970-01-05'", 'cast(feature_at as date)') }} % 7 = 0
        and feature_at >= (
            select cast({{ days_after('cast(max(feature_at) as date)', -7 * var('drift_weeks')) }} as timestamp)
            from {{ ref(table ~ '_features') }}
        )
        -- The last day has a row for everyone, others for those with something new.
        and feature_at < (select max(feature_at) from {{ ref(table ~ '_features') }})

),

{{ table }}_drawn as (

    select *
    from {{ table }}_mondays
    where
        day_rows <= {{ var('drift_rows') }}
        or {{ hashed_share(key | join(" || ' ' || ")) }} < {{ var('drift_rows') }} / cast(day_rows as double)

),

{% endfor -%}
drawn as (

    {% for table, kinds in training_features().items() -%}
    {%- set first = loop.first -%}
    {%- for name in kinds.counts + kinds.numbers + kinds.flags + kinds.texts %}
    {%- set is_text = name in kinds.texts -%}
    {%- set flag = 'case when ' ~ name ~ ' then 1e0 else 0e0 end' -%}
    {%- set number = flag if name in kinds.flags else 'cast(' ~ name ~ ' as double)' %}
    {{ 'union all' if not (first and loop.first) }}
    select
        '{{ table }}_{{ name }}' as feature,
        feature_at,
        {{ 'cast(null as double)' if is_text else number }} as number_value,
        {{ name if is_text else 'cast(null as string)' }} as text_value
    from {{ table }}_drawn
    {%- endfor %}
    {%- endfor %}

)

select * from drawn
