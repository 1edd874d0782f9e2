{#- An amount in its source currency as whole minor units (hundredths) of the reporting currency, at `fx_rate`; half rounds away from zero. -#}
{% macro minor_units(amount, rate='fx_rate') -%}
    cast(round(cast({{ amount }} as double) * {{ rate }} * 100) as bigint)
{%- endmacro %}
