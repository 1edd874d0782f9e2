{#- A text with a whole number of 64 bits, `3`, `3.0` or `3e0`; null when it is anything else: 3.5 is not rounded. -#}
{% macro whole_number(column) -%}
    {{ adapter.dispatch('whole_number')(column) }}
{%- endmacro %}

{# Most are plain digits; a decimal of 38 digits costs twenty times as much, and rounds nothing that 64 bits hold. #}
{% macro default__whole_number(column) -%}
    {%- set exact = default__decimal_number(column, 'decimal(38, 18)') -%}
    case
        when regexp_full_match({{ column }}, '[0-9]{1,18}') then try_cast({{ column }} as bigint)
        when {{ exact }} = floor({{ exact }}) then try_cast({{ exact }} as bigint)
    end
{%- endmacro %}

{% macro spark__whole_number(column) -%}
    {%- set exact = spark__decimal_number(column, 'decimal(38, 18)') -%}
    case when {{ exact }} = floor({{ exact }}) then try_cast({{ exact }} as bigint) end
{%- endmacro %}
