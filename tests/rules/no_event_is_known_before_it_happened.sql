-- A fact is known when it happens or later, and belongs to a customer when it is known or later.
select
    source,
    event_id,
    event_at,
    known_at,
    attributed_at
from {{ ref('fct_events') }}
where
    event_at > known_at
    or attributed_at < known_at
    or (customer_id is null) <> (attributed_at is null)
