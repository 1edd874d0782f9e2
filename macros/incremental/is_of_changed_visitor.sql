{#-
    Whether `visitor` may have other sessions than when the model was last built: somebody of whom an event became known
    since, or who gained or lost a device. True of everybody in a full run.
-#}
{% macro is_of_changed_visitor(visitor) %}
    {#- Named here, so that dbt sees at parsing that the model comes after them. -#}
    {%- set events, owned, owners = ref('int_events__unioned'), ref('int_events__owned'), ref('int_identity__device_owners') -%}
    {%- set devices = changed_devices() -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {{ visitor }} in (
            select visitor from {{ owned }}
            where known_date >= {{ replaced_from('known_date') }}

            union

            select 'device ' || device_id from ({{ devices }}) as changed

            union

            -- Whoever had the device by any build, or has it now.
            select 'customer ' || customer_id from {{ owners }}
            where device_id in ({{ devices }})

            union

            select 'customer ' || user_id from {{ events }}
            where
                user_id is not null
                and device_id in ({{ devices }})
        )
    {%- endif -%}
{% endmacro %}
