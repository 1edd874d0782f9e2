{#-
    Several values of one JSON text, each as text, read in one pass: an array in the order of `paths`.
    Null when the text is not JSON; an element is null when its path is absent. Read it with `nth_text`.
-#}
{% macro json_texts(column, paths) -%}
    {{ adapter.dispatch('json_texts')(column, paths) }}
{%- endmacro %}

{% macro default__json_texts(column, paths) -%}
    json_extract_string(case when json_valid({{ column }}) then {{ column }} end, ['{{ paths | join("', '") }}'])
{%- endmacro %}

{% macro spark__json_texts(column, paths) -%}
    case
        when get_json_object({{ column }}, '$') is not null
            then array({% for path in paths %}get_json_object({{ column }}, '{{ path | replace("\"", "") }}'){{ ', ' if not loop.last }}{% endfor %})
    end
{%- endmacro %}
