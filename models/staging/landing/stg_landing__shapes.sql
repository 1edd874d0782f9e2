{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail') }}

-- Of a load of more records than this, every nth is looked at: a column is on most of them or matters little.
{% set looked_at = 100000 %}

with manifests as (
    select * from {{ ref('stg_landing__manifests') }}
    {% if is_incremental() %}
    where load_id not in (select load_id from {{ this }})
    {% endif %}
),

loads as (
    select
        source,
        table_name,
        load_id,
        cast(ceil(sum(records_landed) / {{ looked_at }}.0) as bigint) as every_nth
    from manifests
    where records_landed > 0
    group by source, table_name, load_id
),

shapes as (
    {% for landed in var('landed_tables') if not landed.typed %}
    select
        loads.source,
        loads.table_name,
        loads.load_id,
        {{ json_structure('raw.' ~ landed.get('json_column', 'payload')) }} as shape,
        count(*) as records,
        min(raw.source_file) as source_file,
        min_by(raw.source_line, raw.source_file || lpad(cast(raw.source_line as string), 12, '0')) as source_line
    from {{ source('raw_' ~ landed.source, landed.table) }} as raw
    inner join loads
        on raw._dlt_load_id = loads.load_id
        and loads.source = '{{ landed.source }}'
        and loads.table_name = '{{ landed.table }}'
    where coalesce(raw.source_line, 0) % loads.every_nth = 0
    group by loads.source, loads.table_name, loads.load_id, shape
    union all
    {% endfor %}
    select
        source,
        table_name,
        load_id,
        columns as shape,
        1 as records,
        source_file,
        cast(null as bigint) as source_line
    from manifests
    where
        columns is not null
        and records_landed > 0
)

select * from shapes
