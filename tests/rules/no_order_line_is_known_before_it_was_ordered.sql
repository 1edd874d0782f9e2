-- A daily run begins with what is known since a day, and takes that to hold all that was ordered since.
select
    order_line_id,
    ordered_at,
    known_at
from {{ ref('fct_order_lines') }}
where ordered_at > known_at
