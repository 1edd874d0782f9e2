{#-
    What `judged` says, for a model of many wide rows that lie in a table already: only the rows that share a key are
    ordered, and of those only what tells them apart. `key` is one column; `first_by` as for `judged`.
-#}
{% macro judged_apart(relation, key, first_by) %}
with checked as (
    select * from {{ relation }}
),

repeated as (
    select {{ key }}
    from checked
    where reject_reason is null
    group by {{ key }}
    having count(*) > 1
),

copies as (
    select
        load_id,
        source_file,
        source_line,
        source_key,
        row_number() over (
            partition by {{ key }}
            order by {{ first_by | join(', ') }}, load_id
        ) as copy_number
    from checked
    where reject_reason is null
        and {{ key }} in (select {{ key }} from repeated)
),

judged as (
    select
        checked.*,
        case
            when checked.reject_reason is not null then 'rejected'
            when copies.copy_number is not null then 'duplicate'
            else 'accepted'
        end as record_status
    from checked
    left join copies
        on checked.load_id = copies.load_id
        and checked.source_file = copies.source_file
        and checked.source_line is not distinct from copies.source_line
        and checked.source_key is not distinct from copies.source_key
        and copies.copy_number > 1
)

select * from judged
{% endmacro %}
