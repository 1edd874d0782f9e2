-- What staging sets aside is all in rejected_records, each with a reason.
with set_aside as (

    select
        source,
        sum(records_rejected) as records
    from {{ ref('landed_records') }}
    group by source

),

published as (

    select
        source,
        count(reason) as records
    from {{ ref('rejected_records') }}
    group by source

)

select
    set_aside.source,
    set_aside.records as set_aside,
    coalesce(published.records, 0) as published
from set_aside
left join published on set_aside.source = published.source
where set_aside.records <> coalesce(published.records, 0)
