{#-
    One row an element of an array: for the select list, beside other columns. Rows whose array is null or empty vanish.
-#}
{% macro exploded(array) -%}
    {{ adapter.dispatch('exploded')(array) }}
{%- endmacro %}

{% macro default__exploded(array) -%}
    unnest({{ array }})
{%- endmacro %}

{% macro spark__exploded(array) -%}
    explode({{ array }})
{%- endmacro %}
