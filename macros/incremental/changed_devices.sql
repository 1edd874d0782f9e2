{#- Devices of which it turned out since the model was last built whose they are, or that a bot has them: known events change. -#}
{% macro changed_devices() %}
    select identifier as device_id
    from {{ ref('int_identity__links') }}
    where
        identifier_type = 'device'
        and (
            cast(linked_at as date) >= {{ replaced_from('known_date') }}
            or cast(unlinked_at as date) between {{ replaced_from('known_date') }} and date '9999-12-30'
        )

    union

    select device_id from {{ ref('int_bots__flagged') }}
    where flagged_date >= {{ replaced_from('known_date') }}
{% endmacro %}
