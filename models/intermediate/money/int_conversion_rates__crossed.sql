with rates as (

    select * from {{ ref('int_exchange_rates__versioned') }}

),

-- Both legs come from the same day of the same table, so a cross rate never mixes two days.
crossed as (

    select
        sources.currency as source_currency,
        sources.rate_date,
        reporting.rate / sources.rate as conversion_rate,
        sources.valid_from,
        sources.valid_to
    from rates as sources
    inner join rates as reporting
        on sources.base_currency = reporting.base_currency
        and sources.rate_date = reporting.rate_date
        and reporting.currency = '{{ var("reporting_currency") }}'
    where sources.currency <> '{{ var("reporting_currency") }}'

)

select * from crossed
