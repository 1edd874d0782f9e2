{#- A number from 0 to less than 1 that a text always gives, evenly spread over texts: a draw that can be repeated. -#}
{% macro hashed_share(text) -%}
    {{ adapter.dispatch('hashed_share')(text) }}
{%- endmacro %}

{% macro default__hashed_share(text) -%}
    (cast('0x' || substr(md5({{ text }}), 1, 8) as bigint) / cast(4294967296 as double))
{%- endmacro %}

{% macro spark__hashed_share(text) -%}
    (cast(conv(substr(md5({{ text }}), 1, 8), 16, 10) as bigint) / cast(4294967296 as double))
{%- endmacro %}
