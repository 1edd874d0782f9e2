{#- Whole minor units as an amount with two decimals, exact. -#}
{% macro major_units(minor) -%}
    cast(cast({{ minor }} as decimal(20, 0)) * 0.01 as decimal(18, 2))
{%- endmacro %}
