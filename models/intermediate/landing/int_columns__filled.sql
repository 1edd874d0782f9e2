-- A load's records that had a column, and those that had a value in it. The column without a name is the whole record.
with columns_seen as (

    select * from {{ ref('stg_landing__columns') }}

),

manifests as (

    select * from {{ ref('stg_landing__manifests') }}

),

loads as (

    select
        source,
        table_name,
        load_id,
        max(landed_at) as landed_at,
        row_number() over (partition by source, table_name order by max(landed_at), load_id) as load_number,
        row_number() over (partition by source, table_name order by max(landed_at) desc, load_id desc) as newest_first
    from manifests
    where records_landed > 0
    group by source, table_name, load_id

),

typed as (

    select
        loads.source,
        loads.table_name,
        loads.load_id,
        loads.load_number,
        loads.newest_first = 1 as is_latest_load,
        loads.landed_at,
        columns_seen.column_name,
        columns_seen.value_type,
        columns_seen.records,
        columns_seen.source_file,
        columns_seen.source_line,
        case when columns_seen.value_type <> 'null' then columns_seen.value_type end as filled_type,
        row_number() over (
            partition by loads.source, loads.table_name, columns_seen.column_name, columns_seen.value_type
            order by loads.load_number
        ) as appearance
    from loads
    inner join columns_seen
        on loads.source = columns_seen.source
        and loads.table_name = columns_seen.table_name
        and loads.load_id = columns_seen.load_id

),

filled as (

    select
        source,
        table_name,
        load_id,
        load_number,
        is_latest_load,
        landed_at,
        column_name,
        cast(sum(records) as bigint) as records,
        cast(sum(case when filled_type is not null then records else 0 end) as bigint) as filled_records,
        bool_or(appearance = 1 and filled_type is not null) as has_new_type,
        min(filled_type) as first_type,
        max(filled_type) as last_type,
        min(source_file) as source_file,
        min(source_line) as source_line
    from typed
    group by source, table_name, load_id, load_number, is_latest_load, landed_at, column_name

)

select
    source,
    table_name,
    load_id,
    load_number,
    is_latest_load,
    landed_at,
    column_name,
    records,
    filled_records,
    has_new_type,
    case
        when first_type = last_type then first_type
        else first_type || ', ' || last_type
    end as value_types,
    source_file,
    source_line
from filled
