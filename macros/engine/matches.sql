{#- Whether a regular expression is found anywhere in a text, letter case aside; null for null. -#}
{% macro matches(column, pattern) -%}
    {{ adapter.dispatch('matches')(column, pattern) }}
{%- endmacro %}

{% macro default__matches(column, pattern) -%}
    regexp_matches({{ column }}, '{{ pattern }}', 'i')
{%- endmacro %}

{% macro spark__matches(column, pattern) -%}
    {{ column }} rlike '(?i){{ pattern }}'
{%- endmacro %}
