-- Whatever landed counts on one day of its table, once.
with landed as (

    select
        source,
        table_name,
        sum(records_landed) as records
    from {{ ref('landed_records') }}
    group by source, table_name

),

scored as (

    select
        source,
        table_name,
        sum(records) as records
    from {{ ref('data_quality_scores') }}
    group by source, table_name

)

select
    landed.source,
    landed.table_name,
    landed.records as records_landed,
    scored.records as records_scored
from landed
full outer join scored
    on landed.source = scored.source
    and landed.table_name = scored.table_name
where coalesce(landed.records, 0) <> coalesce(scored.records, 0)
