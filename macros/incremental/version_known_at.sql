{#-
    From when a landed row of a table (an entry of `landed_tables`) could change anything: the row's `known_at`, or, where records
    have versions and it is a later one, `changed_at`; or, if that lies before, the `told_at` that it says otherwise than the
    version before: an order may be changed once more after its cancellation. What tells no time is known since it landed.
-#}
{% macro version_known_at(table) -%}
    {%- if table.version_of is defined -%}
        {%- set versions = 'over (partition by ' ~ table.version_of ~ ' order by ' ~ table.changed_at ~ ', landed_at)' -%}
        case
            when row_number() {{ versions }} = 1 then {{ table.known_at }}
            {%- if table.told_at is defined %}
            when {{ table.told_at }} is distinct from lag({{ table.told_at }}) {{ versions }}
                then least(coalesce({{ table.changed_at }}, landed_at), {{ table.told_at }})
            {%- endif %}
            else coalesce({{ table.changed_at }}, landed_at)
        end
    {%- else -%}
        {{ table.known_at }}
    {%- endif -%}
{%- endmacro %}
