{#-
    The landed records of a text table with their values as text: one column for each entry of `values`
    (column name: JSON path), read from `payload`, or from `fields` where the source is delimited text.
    `is_readable` is false when there was no JSON to read. Rows of a load that never completed are left out:
    that load runs again and lands them. `only_new` leaves out, too, the loads that the model itself holds already.
-#}
{% macro landed(source_name, table_name, values, json_column='payload', only_new=false) %}
    select
        {%- for column, path in values.items() %}
        {{ json_field('landed_fields', path) }} as {{ column }},
        {%- endfor %}
        landed_fields is not null as is_readable,
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from (
        select
            {{ json_fields(json_column, values.values() | list) }} as landed_fields,
            source_file,
            source_line,
            source_key,
            content_hash,
            {{ utc_instant('landed_at') }} as landed_at,
            _dlt_load_id as load_id
        from {{ source(source_name, table_name) }}
        where _dlt_load_id in (select load_id from {{ source(source_name, '_dlt_loads') }} where status = 0)
        {%- if only_new %}
            and _dlt_load_id not in (select load_id from {{ this }})
        {%- endif %}
    ) as completed
{% endmacro %}
