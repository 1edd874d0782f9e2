{#-
    The strategy `replace_lines`: the rows of the order lines that the model computes go, and what was known since the first day that
    may have changed; what it computes takes their place.
-#}
{% macro get_incremental_replace_lines_sql(arguments) %}
    {%- set condition -%}
        known_at >= {{ replaced_from('known_at') }}
        or order_line_id in (select order_line_id from {{ arguments['temp_relation'] }})
    {%- endset -%}
    {{ replaced_where(arguments, condition) }}
{% endmacro %}
