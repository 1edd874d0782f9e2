{#- Whole minor units as a decimal amount. -#}
{% macro major_units(minor) -%}
    cast({{ minor }} as decimal(18, 2)) / 100
{%- endmacro %}
