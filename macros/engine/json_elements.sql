{#- The elements of a JSON array as an array of JSON texts; null when the text is not a JSON array. Explode it with `exploded`. -#}
{% macro json_elements(column) -%}
    {{ adapter.dispatch('json_elements')(column) }}
{%- endmacro %}

{% macro default__json_elements(column) -%}
    try_cast(try_cast({{ column }} as json) as json[])
{%- endmacro %}

{% macro spark__json_elements(column) -%}
    from_json({{ column }}, 'array<string>')
{%- endmacro %}
