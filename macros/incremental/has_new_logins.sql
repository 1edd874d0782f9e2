{#-
    Whether `device` may be somebody else's than when the model was last built: a login became known since, or one that had been
    known since the same day may be none any more. True of every device in a full run.
-#}
{% macro has_new_logins(device) %}
    {#- Named here, so that dbt sees at parsing that the model comes after them. -#}
    {%- set logins, first_day = ref('int_identity__logins'), replaced_from('known_date') -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {{ device }} in (
            select device_id from {{ logins }}
            where known_date >= {{ first_day }}

            union

            select device_id from {{ this }}
            where
                cast(linked_at as date) >= {{ first_day }}
                or cast(unlinked_at as date) between {{ first_day }} and date '9999-12-30'
        )
    {%- endif -%}
{% endmacro %}
