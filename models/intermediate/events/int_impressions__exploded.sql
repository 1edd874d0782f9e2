{{ config(materialized='incremental', unique_key='known_date') }}

-- One row a product shown in a list: the list's event holds them all.
with lists as (

    select
        source,
        event_id,
        event_at,
        event_date,
        known_at,
        known_date,
        device_id,
        allows_analytics,
        is_declared_bot,
        {{ exploded(json_elements('products')) }} as product
    from {{ ref('int_events__unioned') }}
    where
        event_kind = 'impressions'
        and known_date >= {{ replaced_from('known_date') }}

),

read as (

    select
        lists.*,
        {{ json_fields('cast(product as string)', ['$.product_id', '$.position']) }} as fields
    from lists

)

select
    source,
    event_id,
    event_at,
    event_date,
    known_at,
    known_date,
    device_id,
    allows_analytics,
    is_declared_bot,
    nullif(trim({{ json_field('fields', '$.product_id') }}), '') as product_id,
    {{ whole_number(json_field('fields', '$.position')) }} as list_position
from read
