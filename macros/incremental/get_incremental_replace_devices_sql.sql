{#- The strategy `replace_devices`: the rows of devices with new logins go, what the model computes takes their place. -#}
{% macro get_incremental_replace_devices_sql(arguments) %}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) %}
    delete from {{ arguments['target_relation'] }}
    where {{ has_new_logins('device_id') }};

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{% endmacro %}
