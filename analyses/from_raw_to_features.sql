-- Of what the sources sent, how much reached the features, and where did the rest go?
-- One row a raw table. accepted + rejected + duplicate = landed, always; `main_reason` is what most of the rejected have
-- in common, and operations.rejected_records holds each of them.
with landed as (

    select
        source,
        table_name,
        max(landed_at) as last_landed_at,
        sum(records_landed) as landed,
        sum(records_accepted) as accepted,
        sum(records_rejected) as rejected,
        sum(records_duplicate) as duplicate
    from {{ ref('landed_records') }}
    group by source, table_name

),

reasons as (

    select
        source,
        table_name,
        reason,
        count(*) as records
    from {{ ref('rejected_records') }}
    group by source, table_name, reason

),

main_reasons as (

    select
        source,
        table_name,
        max_by(reason, records) as main_reason,
        max(records) as main_reason_records
    from reasons
    group by source, table_name

)

select
    landed.*,
    landed.landed - landed.accepted - landed.rejected - landed.duplicate as unaccounted,
    round(landed.accepted / nullif(landed.landed, 0), 4) as accepted_share,
    main_reasons.main_reason,
    main_reasons.main_reason_records
from landed
left join main_reasons
    on landed.source = main_reasons.source
    and landed.table_name = main_reasons.table_name
order by landed.source, landed.table_name
