{#-
    The values below which shares of a group's values lie, as an array in the order of `shares`; between two values by how near
    each is. Nulls do not count.
-#}
{% macro quantiles(column, shares) -%}
    {{ adapter.dispatch('quantiles')(column, shares) }}
{%- endmacro %}

{% macro default__quantiles(column, shares) -%}
    quantile_cont({{ column }}, [{{ shares | join(', ') }}])
{%- endmacro %}

{% macro spark__quantiles(column, shares) -%}
    percentile({{ column }}, array({{ shares | join(', ') }}))
{%- endmacro %}
