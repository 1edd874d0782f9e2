-- One row a product shown in a list: the list's event holds them all.
with lists as (

    select
        source,
        event_id,
        event_at,
        known_at,
        coalesce(is_declared_bot, false) as is_bot,
        {{ exploded(json_elements('products')) }} as product
    from {{ ref('int_events__unioned') }}
    where event_kind = 'impressions'

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
    known_at,
    is_bot,
    nullif(trim({{ json_field('fields', '$.product_id') }}), '') as product_id,
    {{ whole_number(json_field('fields', '$.position')) }} as list_position
from read
