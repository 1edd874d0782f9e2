{#- A text with a whole number of 64 bits, `3`, `3.0` or `3e0`; null when it is anything else: 3.5 is not rounded. -#}
{% macro whole_number(column) -%}
    {{ adapter.dispatch('whole_number')(column) }}
{%- endmacro %}

{% macro default__whole_number(column) -%}
    case when try_cast({{ column }} as double) = try_cast({{ column }} as bigint) then try_cast({{ column }} as bigint) end
{%- endmacro %}

{% macro spark__whole_number(column) -%}
    case
        when try_cast({{ column }} as double) = try_cast(try_cast({{ column }} as double) as bigint)
            then coalesce(try_cast({{ column }} as bigint), try_cast(try_cast({{ column }} as double) as bigint))
    end
{%- endmacro %}
