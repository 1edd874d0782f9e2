{#-
    A feature that says `null_means: never` is never null. Fails with one row: how many nulls each such feature has.
-#}
{% test nulls_as_declared(model) %}

{%- set never = [] -%}
{%- if execute -%}
    {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ model.identifier] -%}
    {%- for column in node.columns.values() if column.meta.get('null_means') == 'never' -%}
        {%- do never.append(column.name) -%}
    {%- endfor -%}
    {%- if not never -%}
        {%- do exceptions.raise_compiler_error(model.identifier ~ ' has no feature that says `null_means: never`') -%}
    {%- endif -%}
{%- endif %}

select
    {%- for name in never %}
    count_if({{ name }} is null) as {{ name }},
    {%- endfor %}
    count(*) as row_count
from {{ model }}
having false
    {%- for name in never %}
    or count_if({{ name }} is null) > 0
    {%- endfor %}

{% endtest %}
