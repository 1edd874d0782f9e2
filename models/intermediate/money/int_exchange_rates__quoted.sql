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

)

-- A currency that a day quotes twice, and not alike, has no rate that day.
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
