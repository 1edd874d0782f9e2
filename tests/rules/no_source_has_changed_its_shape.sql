-- A source that adds, drops or retypes a column may mean it, so this warns: what changed with a table's latest load.
{{ config(severity='warn') }}

select
    source,
    table_name,
    column_name,
    change,
    former_types,
    value_types,
    source_file,
    source_line
from {{ ref('schema_drift') }}
where is_latest_load
