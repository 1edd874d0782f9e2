{{ config(materialized='view') }}

-- An item that is cancelled in an order that stands is no sale from then on, whatever price the report goes on to show.
with reports as (
    select
        *,
        coalesce(item_status like 'cancel%', false) and coalesce(order_status, '') not like 'cancel%' as is_removed
    from {{ ref('stg_marketplace__orders') }}
    where record_status = 'accepted'
),

priced as (
    select
        *,
        -- A pending order has no price yet; its money is known with the first version that has one.
        min(case when item_price is not null and not is_removed then updated_at end)
            over (partition by order_id, sku) as priced_at,
        max(currency) over (partition by order_id, sku) as some_currency
    from reports
)

select
    'marketplace-' || order_id || '-' || sku as order_line_id,
    order_id,
    sku,
    updated_at,
    priced_at,
    is_latest_version,
    case when is_removed then 0 else quantity end as quantity,
    -- Nothing of it is left, in any currency.
    case when is_removed then coalesce(currency, some_currency) else currency end as currency,
    case
        when not is_removed then item_price
        when priced_at < updated_at then cast(0 as decimal(18, 4))
    end as item_price,
    case when is_removed then cast(0 as decimal(18, 4)) else item_promotion_discount end as item_promotion_discount,
    case when is_removed then cast(0 as decimal(18, 4)) else item_tax end as item_tax,
    source_file,
    source_line,
    source_key
from priced
