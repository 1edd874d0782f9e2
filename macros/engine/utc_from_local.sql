{#- A timestamp on the clocks of `time_zone` (an IANA name) as a timestamp in UTC. -#}
{% macro utc_from_local(column, time_zone) -%}
    {{ adapter.dispatch('utc_from_local')(column, time_zone) }}
{%- endmacro %}

{% macro default__utc_from_local(column, time_zone) -%}
    (({{ column }} at time zone {{ time_zone }}) at time zone 'UTC')
{%- endmacro %}

{% macro spark__utc_from_local(column, time_zone) -%}
    to_utc_timestamp({{ column }}, {{ time_zone }})
{%- endmacro %}
