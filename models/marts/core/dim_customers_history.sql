with changes as (

    select * from {{ ref('int_customers__changed') }}

),

moments as (

    select
        customer_id,
        valid_from
    from changes
    group by customer_id, valid_from

),

spans as (

    select
        customer_id,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by customer_id order by valid_from),
            timestamp '9999-12-31 00:00:00'
        ) as valid_to
    from moments

),

{%- set attributes = ['lifecycle_stage', 'country_code', 'loyalty_card', 'marketing_consent', 'personalization_consent'] %}

described as (

    select
        spans.customer_id,
        spans.valid_from,
        spans.valid_to,
        spans.valid_from as known_at,
        lifecycle_stage.value as lifecycle_stage,
        country_code.value as country_code,
        coalesce(loyalty_card.value = 'true', false) as has_loyalty_card,
        try_cast(marketing_consent.value as boolean) as has_marketing_consent,
        try_cast(personalization_consent.value as boolean) as has_personalization_consent
    from spans
    {% for attribute in attributes %}
    left join changes as {{ attribute }}
        on spans.customer_id = {{ attribute }}.customer_id
        and {{ attribute }}.attribute = '{{ attribute }}'
        and spans.valid_from >= {{ attribute }}.valid_from
        and spans.valid_from < {{ attribute }}.valid_to
    {% endfor %}

)

select * from described
