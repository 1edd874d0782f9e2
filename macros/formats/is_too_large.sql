{#- Whether a quantity or an amount is beyond any business: sums of such would no longer fit a bigint of minor units. -#}
{% macro is_too_large(number) -%}
    abs(cast({{ number }} as double)) > 1e11
{%- endmacro %}
