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
        try_cast(entry.value as double) as rate
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
    from quoted
    where rate > 0

)

select * from versioned
