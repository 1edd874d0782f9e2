{{ config(materialized='view') }}

with outermost as (
    select
        shapes.*,
        {{ exploded(json_entries('shape')) }} as entry
    from {{ ref('stg_landing__shapes') }} as shapes
),

inner_ones as (
    select
        outermost.*,
        {{ exploded(json_entries('entry.value')) }} as inner_entry
    from outermost
    where substr(entry.value, 1, 1) = '{'
),

innermost as (
    select
        inner_ones.*,
        {{ exploded(json_entries('inner_entry.value')) }} as innermost_entry
    from inner_ones
    where substr(inner_entry.value, 1, 1) = '{'
),

-- A record as a whole counts as a column without a name: so many records were looked at.
paths as (
    {% for level, path, kind in [
        (ref('stg_landing__shapes'), "''", "'record'"),
        ('outermost', 'entry.key', 'entry.value'),
        ('inner_ones', "entry.key || '.' || inner_entry.key", 'inner_entry.value'),
        ('innermost', "entry.key || '.' || inner_entry.key || '.' || innermost_entry.key", 'innermost_entry.value'),
    ] %}
    select
        source,
        table_name,
        load_id,
        records,
        source_file,
        source_line,
        {{ path }} as column_name,
        {{ kind }} as kind
    from {{ level }}
    where shape is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

typed as (
    select
        paths.*,
        case
            when substr(kind, 1, 1) = '{' or kind = 'JSON' then 'object'
            when substr(kind, 1, 1) = '[' then 'array'
            when kind in ('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE') then 'number'
            when kind = 'VARCHAR' then 'text'
            else lower(kind)
        end as value_type
    from paths
)

select
    source,
    table_name,
    load_id,
    column_name,
    value_type,
    cast(sum(records) as bigint) as records,
    min(source_file) as source_file,
    min_by(source_line, source_file || lpad(cast(source_line as string), 12, '0')) as source_line
from typed
group by source, table_name, load_id, column_name, value_type
