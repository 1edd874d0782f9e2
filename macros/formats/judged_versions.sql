{#-
    As `judged`, for records that change: `key` is one column that tells whose version a row is. A version that says what the one
    before it said is a duplicate; one that says again what an earlier one said is a version like any other. `first_said` maps
    columns to be added to those whose value in the first version that landed they hold, whatever later ones say.
-#}
{% macro judged_versions(relation, key, first_said={}) %}
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
            {%- for name, column in first_said.items() %}
            first_value({{ column }}) over landed_versions as {{ name }},
            {%- endfor %}
            lag(content_hash) over landed_versions as previous_content_hash
        from {{ relation }}
        window landed_versions as (
            partition by {{ key }}, reject_reason is null
            order by landed_at, load_id, content_hash
        )
    ) as preceded
{% endmacro %}
