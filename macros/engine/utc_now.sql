{#- This moment as a timestamp in UTC. -#}
{% macro utc_now() -%}
    {{ adapter.dispatch('utc_now')() }}
{%- endmacro %}

{% macro default__utc_now() -%}
    make_timestamp(epoch_us(now()))
{%- endmacro %}

{% macro spark__utc_now() -%}
    now()
{%- endmacro %}
