{#-
    The shape of a JSON object as JSON: each key with the kind of its value, an object with the shape of its own.
    Null when the text is not JSON, or opens more than 2,000 objects and arrays: nested a hundred thousand deep it would take
    the whole process down. Spark tells the outermost keys, without kinds.
-#}
{% macro json_structure(column) -%}
    {{ adapter.dispatch('json_structure')(column) }}
{%- endmacro %}

{% macro default__json_structure(column) -%}
    cast(json_structure(
        case
            when
                length({{ column }}) - length(replace(replace({{ column }}, '{', ''), '[', '')) <= 2000
                and json_valid({{ column }})
                then {{ column }}
        end
    ) as varchar)
{%- endmacro %}

{% macro spark__json_structure(column) -%}
    to_json(transform_values(from_json({{ column }}, 'map<string,string>'), (name, value) -> 'VARCHAR'))
{%- endmacro %}
