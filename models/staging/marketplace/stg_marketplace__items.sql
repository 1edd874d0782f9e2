{{ config(materialized='view') }}

with listings as (
    select
        *,
        coalesce(order_status, '') like 'cancel%' as is_order_cancelled,
        coalesce(item_status, '') like 'cancel%' as is_item_cancelled
    from {{ ref('stg_marketplace__listings') }}
),

counted as (
    select
        *,
        sum(case when is_item_cancelled then 0 else 1 end)
            over (partition by order_id, sku, occurrence order by updated_at) as times_listed
    from listings
),

-- An item that is cancelled in an order that stands is no sale until it is listed as one again, whatever price the report
-- goes on to show and whatever becomes of the order.
reports as (
    select
        *,
        is_item_cancelled
        and bool_or(not is_order_cancelled)
            over (partition by order_id, sku, occurrence, times_listed, is_item_cancelled order by updated_at) as is_removed
    from counted
),

priced as (
    select
        *,
        -- A pending order has no price yet; its money is known with the first version that has one.
        min(case when item_price is not null and not is_removed then updated_at end)
            over (partition by order_id, sku, occurrence) as priced_at,
        max(currency) over (partition by order_id order by updated_at) as some_currency
    from reports
)

select
    {{ line_id("'marketplace-' || order_id") }} || '-' || sku as order_line_id,
    order_id,
    sku,
    occurrence,
    updated_at,
    priced_at,
    is_latest_version,
    is_removed,
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
