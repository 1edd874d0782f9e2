with landed as (
    {{ landed('raw_fx', 'rates', {'base_currency': '$.base', 'rate_date': '$.date', 'rates': '$.rates'}) }}
),

typed as (
    select
        upper(nullif(trim(base_currency), '')) as base_currency,
        cast({{ utc_timestamp('rate_date') }} as date) as rate_date,
        rates,
        is_readable,
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from landed
),

checked as (
    select
        typed.*,
        -- The European Central Bank publishes at about 16:00 in Frankfurt.
        {{ utc_from_local('(cast(rate_date as timestamp) + interval 16 hour)', "'Europe/Berlin'") }} as known_at,
        case
            when not is_readable then 'payload is not JSON'
            when base_currency is null then 'base is missing'
            when rate_date is null then 'date is missing or no date'
            when {{ is_implausible('cast(rate_date as timestamp)') }} then 'date is too early or in the future'
            when rates is null then 'rates are missing'
            when substr(rates, 1, 1) <> '{' then 'rates are no list of currencies'
        end as reject_reason
    from typed
)

{{ judged('checked', key=['base_currency', 'rate_date'], first_by=['landed_at', 'content_hash']) }}
