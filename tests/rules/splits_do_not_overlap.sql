-- Splits follow each other in time, with as many days between as a label takes: nothing that a label of one split counts
-- lies in a day of the next.
with spans as (

    select
        'ranker' as model,
        split,
        min(feature_at) as first_at,
        max(matured_at) as last_matured_at
    from {{ ref('training_examples') }}
    where split in ('train', 'validation', 'test')
    group by split

    union all

    select
        'value' as model,
        split,
        min(feature_at) as first_at,
        max(matured_at) as last_matured_at
    from {{ ref('training_customer_value') }}
    where split in ('train', 'test')
    group by split

)

select
    earlier.model,
    earlier.split,
    earlier.last_matured_at,
    later.split as next_split,
    later.first_at
from spans as earlier
inner join spans as later
    on earlier.model = later.model
    and earlier.first_at < later.first_at
where earlier.last_matured_at > later.first_at
