with measured as (

    select * from {{ ref('int_records__measured') }}

),

connected as (

    select
        source,
        table_name,
        min(landed_at) as first_landed_at
    from measured
    group by source, table_name

),

-- A record that does not tell its day counts with the last of those it came with.
dated as (

    select
        measured.*,
        coalesce(
            measured.record_date,
            max(case when measured.record_status = 'accepted' then measured.record_date end) over (
                partition by measured.source, measured.table_name, measured.source_file, measured.load_id
            ),
            cast(measured.landed_at as date)
        ) as quality_date,
        connected.first_landed_at
    from measured
    inner join connected
        on measured.source = connected.source
        and measured.table_name = connected.table_name

),

-- What was known before its table was connected could not land sooner than it did.
timed as (

    select
        dated.*,
        case
            when
                {{ epoch_microseconds('landed_at') }} > {{ var('late_after_hours') * 60 * 60 * 1000000 }} + greatest(
                    {{ epoch_microseconds('first_landed_at') }},
                    {{ epoch_microseconds('cast(' ~ days_after('quality_date', 1) ~ ' as timestamp)') }}
                )
                then records
            else records_known_late
        end as records_late
    from dated

),

summed as (

    select
        source,
        table_name,
        quality_date,
        cast(sum(records) as bigint) as records,
        cast(sum(case when record_status = 'accepted' then records else 0 end) as bigint) as records_accepted,
        cast(sum(case when record_status = 'rejected' then records else 0 end) as bigint) as records_rejected,
        cast(sum(case when record_status = 'duplicate' then records else 0 end) as bigint) as records_duplicate,
        sum(case when record_status = 'accepted' then records_late else 0 end) as records_late,
        sum(case when record_status = 'accepted' then values_expected else 0 end) as values_expected,
        sum(case when record_status = 'accepted' then values_filled else 0 end) as values_filled,
        sum(case when record_status = 'accepted' then keys_given else 0 end) as keys_given,
        sum(case when record_status = 'accepted' then keys_found else 0 end) as keys_found
    from timed
    group by source, table_name, quality_date

)

select * from summed
