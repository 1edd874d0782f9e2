with landed as (
    {{ landed('raw_marketplace', 'orders', {
        'order_id': '$."amazon-order-id"',
        'merchant_order_id': '$."merchant-order-id"',
        'purchase_date': '$."purchase-date"',
        'last_updated_date': '$."last-updated-date"',
        'order_status': '$."order-status"',
        'marketplace': '$."sales-channel"',
        'sku': '$.sku',
        'asin': '$.asin',
        'item_status': '$."item-status"',
        'quantity': '$.quantity',
        'currency': '$.currency',
        'item_price': '$."item-price"',
        'item_tax': '$."item-tax"',
        'item_promotion_discount': '$."item-promotion-discount"',
        'ship_country': '$."ship-country"'
    }, json_column='fields') }}
),

typed as (
    select
        nullif(trim(order_id), '') as order_id,
        nullif(trim(merchant_order_id), '') as merchant_order_id,
        {{ utc_timestamp('purchase_date') }} as purchased_at,
        {{ utc_timestamp('last_updated_date') }} as updated_at,
        lower(trim(order_status)) as order_status,
        marketplace,
        nullif(trim(sku), '') as sku,
        nullif(trim(asin), '') as asin,
        lower(trim(item_status)) as item_status,
        {{ whole_number('quantity') }} as quantity,
        upper(nullif(trim(currency), '')) as currency,
        nullif(trim(item_price), '') as item_price_text,
        try_cast(nullif(trim(item_price), '') as decimal(18, 4)) as item_price,
        coalesce(try_cast(nullif(trim(item_tax), '') as decimal(18, 4)), 0) as item_tax,
        coalesce(try_cast(nullif(trim(item_promotion_discount), '') as decimal(18, 4)), 0) as item_promotion_discount,
        upper(nullif(trim(ship_country), '')) as country_code,
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
        case
            when not is_readable then 'record does not fit its header'
            when order_id is null then 'amazon-order-id is missing'
            when sku is null then 'sku is missing'
            when purchased_at is null then 'purchase-date is missing or no time'
            when updated_at is null then 'last-updated-date is missing or no time'
            when quantity is null then 'quantity is missing or no number'
            when quantity < 0 then 'quantity is negative'
            when item_price is null and item_price_text is not null then 'item-price is no number'
            when item_price < 0 then 'item-price is negative'
        end as reject_reason
    from typed
),

judged as (
    {{ judged(
        'checked',
        key=['order_id', 'sku', 'updated_at'],
        first_by=['source_file', 'source_line', 'landed_at desc', 'content_hash']
    ) }}
)

select
    judged.*,
    {{ is_latest_version('order_id, sku', ['updated_at', 'source_file', 'source_line']) }} as is_latest_version
from judged
