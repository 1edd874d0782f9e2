with days as (

    select
        base_currency,
        rate_date,
        known_at,
        {{ exploded(json_entries('rates')) }} as entry
    from {{ ref('stg_fx__rates') }}
    where record_status = 'accepted'

),

quoted as (

    select
        base_currency,
        upper(entry.key) as currency,
        rate_date,
        known_at,
        case
            when {{ decimal_number('entry.value', 'decimal(38, 18)') }} is not null then try_cast(entry.value as double)
        end as rate
    from days

    union all

    select
        base_currency,
        base_currency as currency,
        rate_date,
        known_at,
        cast(1 as double) as rate
    from {{ ref('stg_fx__rates') }}
    where record_status = 'accepted'

),

-- A currency that a day quotes twice, and not alike, has no rate that day.
rated as (

    select
        base_currency,
        currency,
        rate_date,
        known_at,
        min(rate) as rate
    from quoted
    where rate between 1e-9 and 1e9
    group by base_currency, currency, rate_date, known_at
    having min(rate) = max(rate)

),

-- A rate is in force from its publication to the next one, but not for longer than the age that is allowed.
versioned as (

    select
        base_currency,
        currency,
        rate_date,
        rate,
        known_at as valid_from,
        least(
            coalesce(
                lead(known_at) over (partition by base_currency, currency order by rate_date),
                timestamp '9999-12-31 00:00:00'
            ),
            known_at + interval {{ var('exchange_rate_max_age_days') }} day
        ) as valid_to
    from rated

)

select * from versioned
