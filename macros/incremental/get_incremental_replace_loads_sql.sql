{#-
    The strategy `replace_loads`: the rows of loads that the model computes go, and all those of sources whose records may be judged
    anew; what it computes takes their place.
-#}
{% macro get_incremental_replace_loads_sql(arguments) %}
    {%- set condition -%}
        source not in ('{{ sources_judged_once() | join("', '") }}')
        or (source, load_id) in (select (source, load_id) from {{ arguments['temp_relation'] }})
    {%- endset -%}
    {{ replaced_where(arguments, condition) }}
{% endmacro %}

{#- The sources whose records are all judged once, as they land: what they send is `parsed` into tables that only grow. -#}
{% macro sources_judged_once() -%}
    {%- set judged_anew = var('landed_tables') | rejectattr('parsed', 'defined') | map(attribute='source') | list -%}
    {{ return(var('landed_tables') | map(attribute='source') | reject('in', judged_anew) | unique | list) }}
{%- endmacro %}
