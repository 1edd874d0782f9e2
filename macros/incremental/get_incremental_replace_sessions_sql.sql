{#-
    The strategy `replace_sessions`: those of changed visitors go, what the model computes takes their place. A session bears
    the name of its first event, so one that is no more is found by the events it could have begun with.
-#}
{% macro get_incremental_replace_sessions_sql(arguments) %}
    {%- set condition -%}
        session_id in (
            select event_id from {{ ref('int_events__owned') }}
            where {{ is_of_changed_visitor('visitor') }}
        )
    {%- endset -%}
    {{ replaced_where(arguments, condition) }}
{% endmacro %}
