{#- What our incremental strategies do with their `arguments`: the rows that meet `condition` go, those of the model take their place. -#}
{% macro replaced_where(arguments, condition) %}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) %}
    delete from {{ arguments['target_relation'] }}
    where {{ condition }};

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{% endmacro %}
