{#-
    The strategy `replace_from`: everything from the first day that may have changed goes, what the model computes takes
    its place. `unique_key` names the column with the day. Nothing before that day can have changed: no model reads what
    was not known yet.
-#}
{% macro get_incremental_replace_from_sql(arguments) %}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) %}
    delete from {{ arguments['target_relation'] }}
    where {{ arguments['unique_key'] }} >= {{ replaced_from(arguments['unique_key']) }};

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{% endmacro %}
