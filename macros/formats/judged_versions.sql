{#-
    As `judged`, for records that change: `key` is one column that tells whose version a row is. A version that says what the one
    before it said is a duplicate; one that says again what an earlier one said is a version like any other.
-#}
{% macro judged_versions(relation, key) %}
    select
        preceded.*,
        case
            when reject_reason is not null then 'rejected'
            when content_hash = previous_content_hash then 'duplicate'
            else 'accepted'
        end as record_status
    from (
        select
            {{ relation }}.*,
            lag(content_hash) over (
                partition by {{ key }}, reject_reason is null
                order by landed_at, load_id, content_hash
            ) as previous_content_hash
        from {{ relation }}
    ) as preceded
{% endmacro %}
