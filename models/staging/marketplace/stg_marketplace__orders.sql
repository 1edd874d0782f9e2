{% set item_key = ['order_id', 'sku'] -%}
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
        {{ utc_timestamp('last_updated_date') }} as last_updated_at,
        lower(trim(order_status)) as order_status,
        marketplace,
        nullif(trim(sku), '') as sku,
        nullif(trim(asin), '') as asin,
        lower(trim(item_status)) as item_status,
        {{ whole_number('quantity') }} as quantity,
        upper(nullif(trim(currency), '')) as currency,
        nullif(trim(item_price), '') as item_price_text,
        {{ decimal_number('item_price') }} as item_price,
        -- None is zero; what cannot be read stays null.
        {{ decimal_number("coalesce(nullif(trim(item_tax), ''), '0')") }} as item_tax,
        {{ decimal_number("coalesce(nullif(trim(item_promotion_discount), ''), '0')") }} as item_promotion_discount,
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

-- Nothing is reported of an order before it was made, whatever the clocks say.
timed as (
    select
        typed.*,
        case when last_updated_at < purchased_at then purchased_at else last_updated_at end as reported_at
    from typed
),

checked as (
    select
        timed.*,
        case
            when not is_readable then 'record does not fit its header'
            when order_id is null then 'amazon-order-id is missing'
            when sku is null then 'sku is missing'
            when purchased_at is null then 'purchase-date is missing or no time'
            when reported_at is null then 'last-updated-date is missing or no time'
            when {{ is_implausible('purchased_at') }} then 'purchase-date is too early or in the future'
            when {{ is_implausible('reported_at') }} then 'last-updated-date is too early or in the future'
            when quantity is null then 'quantity is missing or no number'
            when quantity < 0 then 'quantity is negative'
            when {{ is_too_large('quantity') }} then 'quantity is too large'
            when item_price is null and item_price_text is not null then 'item-price is no number'
            when item_price < 0 then 'item-price is negative'
            when {{ is_too_large('item_price') }} then 'item-price is too large'
            when item_tax is null then 'item-tax is no number'
            when {{ is_too_large('item_tax') }} then 'item-tax is too large'
            when item_promotion_discount is null then 'item-promotion-discount is no number'
            when {{ is_too_large('item_promotion_discount') }} then 'item-promotion-discount is too large'
        end as reject_reason
    from timed
),

said as (
    select
        checked.*,
        concat_ws(
            '/',
            cast(quantity as string),
            coalesce(currency, ''),
            coalesce(cast(item_price as string), ''),
            cast(item_tax as string),
            cast(item_promotion_discount as string),
            coalesce(order_status, ''),
            coalesce(item_status, ''),
            coalesce(country_code, '')
        ) as said
    from checked
),

items as (
    {{ occurrences('said', item_key, 'reported_at', 'said') }}
),

updated as (
    select
        items.*,
        {{ known_from(item_key, 'reported_at', 'said', 'occurrence') }} as updated_at
    from items
),

judged as (
    {{ judged(
        'updated',
        key=item_key + ['occurrence', 'updated_at'],
        first_by=['reported_at desc', 'load_id', 'source_file', 'source_line', 'content_hash']
    ) }}
)

select
    judged.*,
    {{ is_latest_version('order_id, sku, occurrence', ['updated_at']) }} as is_latest_version
from judged
