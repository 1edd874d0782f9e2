{#-
    A staging model keeps every record: it has as many rows as its raw table has in loads that were completed.
    Fails with one row that tells how many landed, how many were staged, and the difference.
-#}
{% test row_conservation(model, source_name, table_name) %}

with landed as (

    select count(*) as records
    from {{ source(source_name, table_name) }}
    where _dlt_load_id in (select load_id from {{ source(source_name, '_dlt_loads') }} where status = 0)

),

staged as (

    select count(*) as records
    from {{ model }}

)

select
    '{{ source_name }}.{{ table_name }}' as raw_table,
    landed.records as landed,
    staged.records as staged,
    staged.records - landed.records as difference
from landed
cross join staged
where landed.records <> staged.records

{% endtest %}
