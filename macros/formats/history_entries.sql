{#-
    The histories that the CRM keeps of a contact's properties, one row an entry: the `columns` of `relation` (a CTE of contacts),
    `property`, `value` as text and `changed_at` (UTC; null where it is no time).
-#}
{% macro history_entries(relation, columns) %}
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
            {% for property in ['email', 'loyalty_id', 'lifecycle_stage', 'marketing_consent', 'personalization_consent'] %}
            select
                {{ columns | join(', ') }},
                '{{ property }}' as property,
                {{ exploded(json_elements(property ~ '_history')) }} as entry
            from {{ relation }}
            {{ 'union all' if not loop.last }}
            {% endfor %}
        ) as entries
    ) as read
{% endmacro %}
