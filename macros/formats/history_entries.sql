{#-
    The histories that a CRM keeps of a contact's properties, one row an entry: the `columns` of `relation` (a CTE), `property`,
    `value` as text and `changed_at` (UTC; null where it is no time). `histories` names the column of each property's history.
-#}
{% macro history_entries(relation, columns, histories) %}
    select
        {{ columns | join(', ') }},
        property,
        {{ json_field('fields', '$.value') }} as value,
        {{ utc_timestamp(json_field('fields', '$.timestamp')) }} as changed_at
    from (
        select
            entries.*,
            {{ json_fields('cast(entry as string)', ['$.value', '$.timestamp']) }} as fields
        from (
            {% for property, history in histories.items() %}
            select
                {{ columns | join(', ') }},
                '{{ property }}' as property,
                {{ exploded(json_elements(history)) }} as entry
            from {{ relation }}
            {{ 'union all' if not loop.last }}
            {% endfor %}
        ) as entries
    ) as read
{% endmacro %}
