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
        try_cast(landed.sold_at as timestamp) as sold_at_local,
        stores.time_zone,
        stores.country_code,
        nullif(trim(landed.loyalty_id), '') as loyalty_id,
        nullif(trim(landed.sku), '') as sku,
        {{ whole_number('landed.quantity') }} as quantity,
        try_cast(landed.unit_price as decimal(18, 4)) as unit_price,
        upper(nullif(trim(landed.currency), '')) as currency,
        coalesce(try_cast(landed.is_return as boolean), false) as is_marked_return,
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

checked as (
    select
        typed.*,
        {{ utc_from_local('sold_at_local', 'time_zone') }} as sold_at,
        -- A till writes its file when the day is over: nothing of it is known before.
        {{ utc_from_local("(date_trunc('day', sold_at_local) + interval 1 day)", 'time_zone') }} as known_at,
        is_marked_return or quantity < 0 as is_return,
        case
            when not is_readable then 'record does not fit its header'
            when transaction_id is null then 'transaction_id is missing'
            when line_number is null then 'line_no is missing or no number'
            when store_id is null then 'store_id is missing'
            when time_zone is null then 'store_id has no row in seeds/store_zones.csv'
            when sold_at_local is null then 'sold_at is missing or no time'
            when sku is null then 'sku is missing'
            when quantity is null then 'quantity is missing or no number'
            when unit_price is null then 'unit_price is missing or no number'
            when unit_price < 0 then 'unit_price is negative'
        end as reject_reason
    from typed
)

{{ judged(
    'checked',
    key=['store_id', 'transaction_id', 'line_number'],
    first_by=['source_file', 'source_line', 'landed_at desc', 'content_hash']
) }}
