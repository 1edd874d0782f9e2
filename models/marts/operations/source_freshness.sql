{{ config(materialized='view') }}

with landed as (

    select * from {{ ref('landed_records') }}

),

scored as (

    select * from {{ ref('data_quality_scores') }}

),

-- One home for the limits: `freshness` of the sources' YAML, as for `dbt source freshness`.
declared as (

    {% for source_name, table_name, warn_after, error_after in declared_freshness() %}
    select
        '{{ source_name }}' as source,
        '{{ table_name }}' as table_name,
        cast({{ 'null' if warn_after is none else warn_after }} as double) as warn_after_hours,
        cast({{ 'null' if error_after is none else error_after }} as double) as error_after_hours
    union all
    {% endfor %}
    select
        cast(null as string) as source,
        cast(null as string) as table_name,
        cast(null as double) as warn_after_hours,
        cast(null as double) as error_after_hours
    where false

),

arrived as (

    select
        source,
        table_name,
        max(landed_at) as landed_at
    from landed
    where records_landed > 0
    group by source, table_name

),

told as (

    select
        source,
        table_name,
        max(quality_date) as newest_date
    from scored
    where records_accepted > 0
    group by source, table_name

),

aged as (

    select
        declared.source,
        declared.table_name,
        arrived.landed_at,
        told.newest_date,
        cast(
            {{ epoch_microseconds(utc_now()) }} - {{ epoch_microseconds('arrived.landed_at') }} as double
        ) / 3600000000 as hours_since_landed,
        declared.warn_after_hours,
        declared.error_after_hours
    from declared
    left join arrived
        on declared.source = arrived.source
        and declared.table_name = arrived.table_name
    left join told
        on declared.source = told.source
        and declared.table_name = told.table_name

)

select
    source,
    table_name,
    case
        when landed_at is null then 'nothing_landed'
        when hours_since_landed > error_after_hours then 'stale'
        when hours_since_landed > warn_after_hours then 'late'
        else 'fresh'
    end as status,
    landed_at,
    newest_date,
    hours_since_landed,
    warn_after_hours,
    error_after_hours
from aged
