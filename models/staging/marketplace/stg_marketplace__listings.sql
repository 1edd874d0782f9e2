{{ config(materialized='view') }}

-- What each report lists. Where an order listed a product several times and a later report does not tell these lines
-- apart any more, each of them is what it says: a cancelled order's lines all read alike.
with reports as (
    select * from {{ ref('stg_marketplace__orders') }}
    where record_status = 'accepted'
),

further as (
    select
        order_id,
        sku,
        occurrence,
        min(updated_at) as first_updated_at
    from reports
    where occurrence > 1
    group by order_id, sku, occurrence
),

listed as (
    select
        order_id,
        sku,
        occurrence,
        updated_at,
        order_status,
        item_status,
        quantity,
        currency,
        item_price,
        item_promotion_discount,
        item_tax,
        source_file,
        source_line,
        source_key
    from reports

    union all

    select
        further.order_id,
        further.sku,
        further.occurrence,
        reports.updated_at,
        reports.order_status,
        reports.item_status,
        reports.quantity,
        reports.currency,
        reports.item_price,
        reports.item_promotion_discount,
        reports.item_tax,
        reports.source_file,
        reports.source_line,
        reports.source_key
    from further
    inner join reports
        on further.order_id = reports.order_id
        and further.sku = reports.sku
        and further.first_updated_at < reports.updated_at
    anti join reports as own
        on further.order_id = own.order_id
        and further.sku = own.sku
        and further.occurrence = own.occurrence
        and reports.updated_at = own.updated_at
    where
        reports.occurrence = 1
        and reports.updated_at = reports.reported_at
)

select
    listed.*,
    row_number() over (partition by order_id, sku, occurrence order by updated_at desc) = 1 as is_latest_version
from listed
