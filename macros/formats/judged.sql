{#-
    Ends every staging model: keeps each row of `relation` (a CTE with `reject_reason`) and says what became of it.
    `key` tells what makes two good rows the same record; the first by `first_by` stays, the others are duplicates.
-#}
{% macro judged(relation, key, first_by) %}
    select
        numbered.*,
        case
            when reject_reason is not null then 'rejected'
            when copy_number > 1 then 'duplicate'
            else 'accepted'
        end as record_status
    from (
        select
            {{ relation }}.*,
            row_number() over (
                partition by {{ key | join(', ') }}, reject_reason is null
                order by {{ first_by | join(', ') }}
            ) as copy_number
        from {{ relation }}
    ) as numbered
{% endmacro %}
