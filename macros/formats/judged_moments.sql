{#-
    As `judged`, for records whose versions each count from a moment: of those of one `moment` the first by `first_by` stays,
    unless it says what the one before it said. `key` tells whose version a row is, `said` is the column with what it says.
-#}
{% macro judged_moments(relation, key, moment, said, first_by) %}
    select
        preceded.*,
        case
            when reject_reason is not null then 'rejected'
            when copy_number > 1 or {{ said }} = former_{{ said }} then 'duplicate'
            else 'accepted'
        end as record_status
    from (
        select
            numbered.*,
            case
                when copy_number = 1
                    then lag({{ said }}) over (
                        partition by {{ key | join(', ') }}, reject_reason is null, copy_number = 1
                        order by {{ moment }}
                    )
            end as former_{{ said }}
        from (
            select
                {{ relation }}.*,
                row_number() over (
                    partition by {{ key | join(', ') }}, {{ moment }}, reject_reason is null
                    order by {{ first_by | join(', ') }}
                ) as copy_number
            from {{ relation }}
        ) as numbered
    ) as preceded
{% endmacro %}
