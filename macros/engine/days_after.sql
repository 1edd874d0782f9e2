{#- The date `days` days after a date; before it when negative. -#}
{% macro days_after(column, days) -%}
    {{ adapter.dispatch('days_after')(column, days) }}
{%- endmacro %}

{% macro default__days_after(column, days) -%}
    ({{ column }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__days_after(column, days) -%}
    date_add({{ column }}, cast({{ days }} as integer))
{%- endmacro %}
