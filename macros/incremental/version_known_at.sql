{#-
    From when a landed row of a table (an entry of `landed_tables`) could change anything: the row's `known_at`, or, where records
    have versions and it is a later one, `changed_at`; or, if that lies before, the `told_at` that it says otherwise than the
    version before: an order may be changed once more after its cancellation. One that lands after a later version changes what
    that one says anew, so the later `told_at` counts, too. What tells no time is known since it landed.
-#}
{% macro version_known_at(table) -%}
    {%- if table.version_of is defined -%}
        {%- set changed_at = 'coalesce(' ~ table.changed_at ~ ', landed_at)' -%}
        {%- set versions = 'over (partition by ' ~ table.version_of ~ ' order by ' ~ changed_at ~ ', landed_at)' -%}
        {%- set known_at -%}
            case when row_number() {{ versions }} = 1 then {{ table.known_at }} else {{ changed_at }} end
        {%- endset -%}
        {%- if table.told_at is not defined -%}
            {{ known_at }}
        {%- else -%}
            least(
                {{ known_at }},
                case
                    when {{ table.told_at }} is distinct from lag({{ table.told_at }}) {{ versions }}
                        then coalesce({{ table.told_at }}, {{ changed_at }})
                    else {{ changed_at }}
                end,
                case
                    when landed_at > lead(landed_at) {{ versions }}
                        then coalesce(lead({{ table.told_at }}) {{ versions }}, {{ changed_at }})
                    else {{ changed_at }}
                end
            )
        {%- endif -%}
    {%- else -%}
        {{ table.known_at }}
    {%- endif -%}
{%- endmacro %}
