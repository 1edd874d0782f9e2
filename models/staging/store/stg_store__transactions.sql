{% set number_key = ['store_id', 'sold_on', 'transaction_id', 'line_number'] -%}
{%- set line_key = number_key + ['occurrence'] -%}
with landed as (
    {{ landed('raw_store', 'transactions', {
        'transaction_id': '$.transaction_id',
        'line_number': '$.line_no',
        'store_id': '$.store_id',
        'sold_at': '$.sold_at',
        'loyalty_id': '$.loyalty_id',
        'sku': '$.sku',
        'quantity': '$.quantity',
        'unit_price': '$.unit_price',
        'currency': '$.currency',
        'is_return': '$.is_return'
    }, json_column='fields') }}
),

stores as (
    select * from {{ ref('store_zones') }}
),

typed as (
    select
        nullif(trim(landed.transaction_id), '') as transaction_id,
        {{ whole_number('landed.line_number') }} as line_number,
        nullif(trim(landed.store_id), '') as store_id,
        {{ utc_timestamp('landed.sold_at') }} as sold_at_written,
        {{ matches('landed.sold_at', ':.*(z|utc|[+-][0-9:]+) *$') }} as has_offset,
        stores.time_zone,
        stores.country_code,
        nullif(trim(landed.loyalty_id), '') as loyalty_id,
        nullif(trim(landed.sku), '') as sku,
        {{ whole_number('landed.quantity') }} as quantity,
        {{ decimal_number('landed.unit_price') }} as unit_price,
        upper(nullif(trim(landed.currency), '')) as currency,
        -- None is false; what cannot be read stays null.
        try_cast(coalesce(nullif(trim(landed.is_return), ''), 'false') as boolean) as is_marked_return,
        try_cast(
            nullif(regexp_extract(landed.source_file, '([0-9]{4}-[0-9]{2}-[0-9]{2})[^/]*$', 1), '') as timestamp
        ) as filed_on,
        landed.is_readable,
        landed.source_file,
        landed.source_line,
        landed.source_key,
        landed.content_hash,
        landed.landed_at,
        landed.load_id
    from landed
    left join stores on trim(landed.store_id) = stores.store_id
),

-- A till writes its shop's time; one that says which time it is means that.
timed as (
    select
        typed.*,
        -- A file that names no day, or one that cannot be, says nothing of when it was written.
        case when not {{ is_implausible('filed_on') }} then filed_on end as written_on,
        case
            when has_offset then {{ local_from_utc('sold_at_written', 'time_zone') }}
            else sold_at_written
        end as sold_at_local,
        case
            when has_offset then sold_at_written
            else {{ utc_from_local('sold_at_written', 'time_zone') }}
        end as sold_at
    from typed
),

checked as (
    select
        timed.*,
        cast(sold_at_local as date) as sold_on,
        -- A till may count anew each day.
        'store-' || store_id || '-' || cast(cast(sold_at_local as date) as string) || '-' || transaction_id as order_id,
        -- A till writes its file when the day is over: nothing of it is known before, nor what it brings of earlier days.
        {{ utc_from_local(
            "(greatest(date_trunc('day', sold_at_local), written_on) + interval 1 day)", 'time_zone'
        ) }} as written_at,
        is_marked_return or quantity < 0 as is_return,
        case
            when not is_readable then 'record does not fit its header'
            when transaction_id is null then 'transaction_id is missing'
            when line_number is null then 'line_no is missing or no number'
            when store_id is null then 'store_id is missing'
            when time_zone is null then 'store_id has no row in seeds/store_zones.csv'
            when sold_at is null then 'sold_at is missing or no time'
            when {{ is_implausible('sold_at') }} then 'sold_at is too early or in the future'
            when sku is null then 'sku is missing'
            when quantity is null then 'quantity is missing or no number'
            when unit_price is null then 'unit_price is missing or no number'
            when unit_price < 0 then 'unit_price is negative'
            when {{ is_too_large('quantity') }} then 'quantity is too large'
            when {{ is_too_large('cast(quantity as double) * cast(unit_price as double)') }} then 'amount is too large'
            when is_marked_return is null then 'is_return is neither true nor false'
        end as reject_reason
    from timed
),

said as (
    select
        checked.*,
        landed_at < written_at as is_in_time,
        concat_ws(
            '/',
            sku,
            cast(quantity as string),
            cast(unit_price as string),
            coalesce(currency, ''),
            cast(is_return as string),
            coalesce(loyalty_id, '')
        ) as said
    from checked
),

lines as (
    {{ occurrences('said', number_key, 'written_at', 'said') }}
),

known as (
    select
        lines.*,
        {{ known_from(number_key, 'written_at', 'said', 'occurrence') }} as known_at
    from lines
),

judged as (
    {{ judged_moments(
        'known',
        key=line_key,
        moment='known_at',
        said='said',
        first_by=['written_at desc'] + last_reading_in_time()
    ) }}
)

select
    judged.*,
    min(known_at) over (partition by {{ line_key | join(', ') }}, record_status) as first_known_at,
    min(known_at) over (partition by order_id, record_status) as order_known_at,
    {{ is_latest_version(line_key | join(', '), ['known_at']) }} as is_latest_version
from judged
