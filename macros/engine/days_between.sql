{#- Whole days from one date to another, as an integer. -#}
{% macro days_between(earlier, later) -%}
    {{ adapter.dispatch('days_between')(earlier, later) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    cast(date_diff('day', {{ earlier }}, {{ later }}) as integer)
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    cast(datediff({{ later }}, {{ earlier }}) as integer)
{%- endmacro %}
