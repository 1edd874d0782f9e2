{#- The values of a group as an array, in the order of a column; nulls stay. -#}
{% macro collected(value, order_by) -%}
    {{ adapter.dispatch('collected')(value, order_by) }}
{%- endmacro %}

{% macro default__collected(value, order_by) -%}
    list({{ value }} order by {{ order_by }})
{%- endmacro %}

{% macro spark__collected(value, order_by) -%}
    transform(array_sort(collect_list(struct({{ order_by }} as place, {{ value }} as value))), item -> item.value)
{%- endmacro %}
