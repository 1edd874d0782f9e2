with rates as (

    select * from {{ ref('int_exchange_rates__quoted') }}

),

-- Both legs come from the same day of the same table, so a cross rate never mixes two days.
crossed as (

    select
        sources.currency as source_currency,
        sources.rate_date,
        sources.base_currency,
        sources.known_at,
        reporting.rate / sources.rate as conversion_rate
    from rates as sources
    inner join rates as reporting
        on sources.base_currency = reporting.base_currency
        and sources.rate_date = reporting.rate_date
        and reporting.currency = '{{ var("reporting_currency") }}'
    where sources.currency <> '{{ var("reporting_currency") }}'

),

-- Rates asked for per another base in other years say the same twice: one of them is enough.
numbered as (

    select
        crossed.*,
        row_number() over (partition by source_currency, rate_date order by base_currency) as place
    from crossed

)

-- A rate is in force from its publication to the next one, but not for longer than the age that is allowed.
select
    source_currency,
    rate_date,
    conversion_rate,
    known_at as valid_from,
    least(
        coalesce(
            lead(known_at) over (partition by source_currency order by rate_date),
            timestamp '9999-12-31 00:00:00'
        ),
        known_at + interval {{ var('exchange_rate_max_age_days') }} day
    ) as valid_to
from numbered
where place = 1
