{#-
    The strategy `replace_from`: everything from the first day that may have changed goes, what the model computes takes
    its place. `unique_key` names the column with the day. Nothing before that day can have changed: no model reads what
    was not known yet.
-#}
{% macro get_incremental_replace_from_sql(arguments) %}
    {{ replaced_where(arguments, arguments['unique_key'] ~ ' >= ' ~ replaced_from(arguments['unique_key'])) }}
{% endmacro %}
