{#- Microseconds from 1970-01-01 00:00 UTC to a timestamp in UTC, as a bigint. -#}
{% macro epoch_microseconds(column) -%}
    {{ adapter.dispatch('epoch_microseconds')(column) }}
{%- endmacro %}

{% macro default__epoch_microseconds(column) -%}
    epoch_us({{ column }})
{%- endmacro %}

{% macro spark__epoch_microseconds(column) -%}
    unix_micros({{ column }})
{%- endmacro %}
