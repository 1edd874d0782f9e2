{#- A flat JSON object as an array of (key, value) rows, both text; null when the text is not such an object. -#}
{% macro json_entries(column) -%}
    {{ adapter.dispatch('json_entries')(column) }}
{%- endmacro %}

{% macro default__json_entries(column) -%}
    map_entries(try_cast(try_cast({{ column }} as json) as map(varchar, varchar)))
{%- endmacro %}

{% macro spark__json_entries(column) -%}
    map_entries(from_json({{ column }}, 'map<string,string>'))
{%- endmacro %}
