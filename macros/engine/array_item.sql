{#- An item of an array, the first being 1. -#}
{% macro array_item(array, place) -%}
    {{ adapter.dispatch('array_item')(array, place) }}
{%- endmacro %}

{% macro default__array_item(array, place) -%}
    list_extract({{ array }}, {{ place }})
{%- endmacro %}

{% macro spark__array_item(array, place) -%}
    element_at({{ array }}, {{ place }})
{%- endmacro %}
