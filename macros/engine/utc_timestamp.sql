{#-
    A text with a time in ISO 8601, with any offset, as a timestamp in UTC; without an offset it is UTC already.
    Null when it cannot be read.
-#}
{% macro utc_timestamp(column) -%}
    {{ adapter.dispatch('utc_timestamp')(column) }}
{%- endmacro %}

{# A plain cast to timestamp would drop the offset. #}
{% macro default__utc_timestamp(column) -%}
    (try_cast({{ column }} as timestamptz) at time zone 'UTC')
{%- endmacro %}

{% macro spark__utc_timestamp(column) -%}
    try_cast({{ column }} as timestamp)
{%- endmacro %}
