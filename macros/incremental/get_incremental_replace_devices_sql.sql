{#- The strategy `replace_devices`: the rows of devices with new logins go, what the model computes takes their place. -#}
{% macro get_incremental_replace_devices_sql(arguments) %}
    {{ replaced_where(arguments, has_new_logins('device_id')) }}
{% endmacro %}
