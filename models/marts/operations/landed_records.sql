with manifests as (

    select * from {{ ref('stg_landing__manifests') }}

),

verdicts as (

    select
        source,
        table_name,
        source_file,
        load_id,
        sum(records) as records,
        sum(case when record_status = 'accepted' then records else 0 end) as accepted,
        sum(case when record_status = 'rejected' then records else 0 end) as rejected,
        sum(case when record_status = 'duplicate' then records else 0 end) as duplicate
    from {{ ref('int_records__measured') }}
    group by source, table_name, source_file, load_id

),

accounted as (

    select
        manifests.run_id,
        coalesce(manifests.source, verdicts.source) as source,
        coalesce(manifests.table_name, verdicts.table_name) as table_name,
        coalesce(manifests.source_file, verdicts.source_file) as source_file,
        coalesce(manifests.load_id, verdicts.load_id) as load_id,
        manifests.started_at,
        manifests.landed_at,
        manifests.bytes,
        coalesce(manifests.records_read, 0) as records_read,
        coalesce(manifests.records_unchanged, 0) as records_unchanged,
        coalesce(manifests.records_landed, 0) as records_landed,
        coalesce(cast(verdicts.accepted as bigint), 0) as records_accepted,
        coalesce(cast(verdicts.rejected as bigint), 0) as records_rejected,
        coalesce(cast(verdicts.duplicate as bigint), 0) as records_duplicate,
        manifests.error
    from manifests
    full outer join verdicts
        on manifests.source = verdicts.source
        and manifests.table_name = verdicts.table_name
        and manifests.source_file = verdicts.source_file
        and manifests.load_id = verdicts.load_id

)

select * from accounted
