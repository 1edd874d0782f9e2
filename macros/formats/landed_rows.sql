{#- The landed rows of a database's table, one a version. Rows of a load that never completed are left out.
    `source_file` is what the manifest calls the place, the table's name unless told. -#}
{% macro landed_rows(source_name, table_name, columns, source_file=none) %}
    select
        {{ columns | join(',\n        ') }},
        {{ source_file or "'" ~ table_name ~ "'" }} as source_file,
        cast(null as bigint) as source_line,
        cast(id as string) as source_key,
        content_hash,
        {{ utc_instant('landed_at') }} as landed_at,
        _dlt_load_id as load_id
    from {{ source(source_name, table_name) }}
    where _dlt_load_id in (select load_id from {{ source(source_name, '_dlt_loads') }} where status = 0)
{% endmacro %}
