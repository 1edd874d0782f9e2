{#- Days from 1970-01-01 to a date, as an integer: what a RANGE window over days orders by. -#}
{% macro day_number(column) -%}
    {{ adapter.dispatch('day_number')(column) }}
{%- endmacro %}

{% macro default__day_number(column) -%}
    cast(date_diff('day', date '1970-01-01', {{ column }}) as integer)
{%- endmacro %}

{% macro spark__day_number(column) -%}
    cast(datediff({{ column }}, date '1970-01-01') as integer)
{%- endmacro %}
