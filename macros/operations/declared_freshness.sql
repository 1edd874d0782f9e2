{#-
    The freshness that the sources' YAML declares, as a list of (source, table, hours after which it warns, and is an error); nothing
    of tables that declare none. A limit that is not given is none.
-#}
{% macro declared_freshness() -%}
    {%- set hours = {'minute': 1 / 60, 'hour': 1, 'day': 24} -%}
    {%- set declared = [] -%}
    {%- if execute -%}
        {%- for table in graph.sources.values() | sort(attribute='unique_id') if table.freshness -%}
            {%- set limits = [] -%}
            {%- for limit in [table.freshness.warn_after, table.freshness.error_after] -%}
                {%- do limits.append(limit.count * hours[limit.period] if limit and limit.count else none) -%}
            {%- endfor -%}
            {%- if limits != [none, none] -%}
                {%- do declared.append((table.source_name | replace('raw_', '', 1), table.name, limits[0], limits[1])) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(declared) }}
{%- endmacro %}
