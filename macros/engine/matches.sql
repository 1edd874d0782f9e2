{#- Whether a regular expression is found anywhere in a text, letter case aside unless told; null for null. -#}
{% macro matches(column, pattern, ignore_case=true) -%}
    {{ adapter.dispatch('matches')(column, pattern, ignore_case) }}
{%- endmacro %}

{% macro default__matches(column, pattern, ignore_case) -%}
    regexp_matches({{ column }}, '{{ pattern }}', '{{ 'i' if ignore_case else 'c' }}')
{%- endmacro %}

{% macro spark__matches(column, pattern, ignore_case) -%}
    {{ column }} rlike '{{ '(?i)' if ignore_case }}{{ pattern }}'
{%- endmacro %}
