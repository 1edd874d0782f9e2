{#-
    From when a landed row of a table (an entry of `landed_tables`) could change anything: the row's `known_at`, or, where records
    have versions and it is a later one, `changed_at`.
-#}
{% macro version_known_at(table) -%}
    {%- if table.version_of is defined -%}
        case
            when row_number() over (partition by {{ table.version_of }} order by {{ table.changed_at }}, landed_at) > 1
                then {{ table.changed_at }}
            else {{ table.known_at }}
        end
    {%- else -%}
        {{ table.known_at }}
    {%- endif -%}
{%- endmacro %}
