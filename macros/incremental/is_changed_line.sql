{#-
    Whether an order line was told of since the model was last built: it is new, was said to be something else, or is no longer
    said to be what the model holds. What was ordered since counts: no line is known before its order, and its rate may be new.
-#}
{% macro is_changed_line(order_line_id) -%}
    {#- Named here, so that dbt sees at parsing that the model comes after them. -#}
    {%- set lines, versions = ref('int_order_lines__unioned'), ref('int_order_line_versions__unioned') -%}
    {%- set first_day = replaced_from('known_at') -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {{ order_line_id }} in (
            {%- for told in [lines, versions, this] %}
            select order_line_id from {{ told }}
            where known_at >= {{ first_day }}
            {{ 'union' if not loop.last }}
            {% endfor -%}
        )
    {%- endif -%}
{% endmacro %}
