{#- The parts of a text between separators (one plain character), as an array. -#}
{% macro split_text(column, separator) -%}
    {{ adapter.dispatch('split_text')(column, separator) }}
{%- endmacro %}

{% macro default__split_text(column, separator) -%}
    string_split({{ column }}, '{{ separator }}')
{%- endmacro %}

{% macro spark__split_text(column, separator) -%}
    split({{ column }}, '[{{ separator }}]')
{%- endmacro %}
