{#- A timestamp in UTC as one on the clocks of `time_zone` (an IANA name). -#}
{% macro local_from_utc(column, time_zone) -%}
    {{ adapter.dispatch('local_from_utc')(column, time_zone) }}
{%- endmacro %}

{% macro default__local_from_utc(column, time_zone) -%}
    (({{ column }} at time zone 'UTC') at time zone {{ time_zone }})
{%- endmacro %}

{% macro spark__local_from_utc(column, time_zone) -%}
    from_utc_timestamp({{ column }}, {{ time_zone }})
{%- endmacro %}
