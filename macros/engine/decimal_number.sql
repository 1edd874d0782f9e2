{#-
    A text with a number, `12.5`, ` +12.50 ` or `1.25e1`, as a decimal; null when it is anything else or too large for the type.
    More decimals than the type holds are rounded, half away from zero.
-#}
{% macro decimal_number(column, type='decimal(18, 4)') -%}
    {{ adapter.dispatch('decimal_number')(column, type) }}
{%- endmacro %}

{# The engine reads 1_000 as a thousand. #}
{% macro default__decimal_number(column, type) -%}
    case when strpos({{ column }}, '_') = 0 then try_cast({{ column }} as {{ type }}) end
{%- endmacro %}

{# The engine reads digits of any script. #}
{% macro spark__decimal_number(column, type) -%}
    case when {{ column }} rlike '^[-+.0-9eE\\s]*$' then try_cast({{ column }} as {{ type }}) end
{%- endmacro %}
