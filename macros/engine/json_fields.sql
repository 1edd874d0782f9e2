{#-
    Several values of one JSON text, each as text, read in one pass: a struct to read from with `json_field`.
    Null when the text is not JSON; a field is null when its path is absent. `paths` as `$.a.b` or `$."a-b"`.
-#}
{% macro json_fields(column, paths) -%}
    {{ adapter.dispatch('json_fields')(column, paths) }}
{%- endmacro %}

{% macro default__json_fields(column, paths) -%}
    json_transform(case when json_valid({{ column }}) then {{ column }} end, '{{ tojson(json_tree(paths, "VARCHAR")) }}')
{%- endmacro %}

{% macro spark__json_fields(column, paths) -%}
    case
        when get_json_object({{ column }}, '$') is not null
            then from_json({{ column }}, '{{ tojson(json_tree(paths, "STRING")) | replace("{", "struct<") | replace("}", ">") | replace("\"STRING\"", "string") | replace("\"", "`") }}')
    end
{%- endmacro %}

{#- What a path names in the struct that `json_fields` read. -#}
{% macro json_field(fields, path) -%}
    {{ fields }}{% for key in json_keys(path) %}.{{ adapter.quote(key) }}{% endfor %}
{%- endmacro %}

{#- The keys of a path, outermost first. -#}
{% macro json_keys(path) -%}
    {{ return(modules.re.findall('[^.$"]+', path)) }}
{%- endmacro %}

{#- The paths as one tree of keys, with a leaf for each. -#}
{% macro json_tree(paths, leaf) -%}
    {%- set tree = {} -%}
    {%- for path in paths -%}
        {%- set keys = json_keys(path) -%}
        {%- set at = namespace(branch=tree) -%}
        {%- for key in keys[:-1] -%}
            {%- set at.branch = at.branch.setdefault(key, {}) -%}
        {%- endfor -%}
        {%- do at.branch.update({keys[-1]: leaf}) -%}
    {%- endfor -%}
    {{ return(tree) }}
{%- endmacro %}
