{#-
    Whether a landed row says something else than its file said when it was read before: a file may change after that. `key` tells
    whose row it is, `said` is the column with what it says. Of a relation with `reject_reason`: a rejected row has said nothing.
-#}
{% macro is_said_otherwise(key, said) -%}
    {%- set readings -%}
        over (
            partition by {{ key | join(', ') }}, source_file, reject_reason is null
            order by landed_at, load_id, source_line
        )
    {%- endset -%}
    load_id <> first_value(load_id) {{ readings }} and {{ said }} <> lag({{ said }}) {{ readings }}
{%- endmacro %}
