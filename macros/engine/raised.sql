{#- An error with this text, raised when it is evaluated: how a test tells numbers. True where nothing is to be raised. -#}
{% macro raised(message, when) -%}
    {{ adapter.dispatch('raised')(message, when) }}
{%- endmacro %}

{% macro default__raised(message, when) -%}
    case when {{ when }} then error({{ message }}) is null else true end
{%- endmacro %}

{% macro spark__raised(message, when) -%}
    case when {{ when }} then raise_error({{ message }}) is null else true end
{%- endmacro %}
