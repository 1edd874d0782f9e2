{#- The value below which a share of a group's values lies, between two values by how near each is; nulls do not count. -#}
{% macro quantile(column, share) -%}
    {{ adapter.dispatch('quantile')(column, share) }}
{%- endmacro %}

{% macro default__quantile(column, share) -%}
    quantile_cont({{ column }}, {{ share }})
{%- endmacro %}

{% macro spark__quantile(column, share) -%}
    percentile({{ column }}, {{ share }})
{%- endmacro %}
