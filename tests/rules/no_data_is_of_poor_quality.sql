-- The last day of these tables is worth a look; it is no reason to stop.
{{ config(severity='warn') }}

with scores as (

    select * from {{ ref('data_quality_scores') }}

),

numbered as (

    select
        scores.*,
        row_number() over (partition by source, table_name order by quality_date desc) as days_from_last
    from scores

)

select
    source,
    table_name,
    quality_date,
    records,
    score,
    completeness,
    validity,
    uniqueness,
    consistency,
    timeliness
from numbered
where
    days_from_last = 1
    and score < {{ var('least_quality') }}
