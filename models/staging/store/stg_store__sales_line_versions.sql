{{ config(materialized='view') }}

-- What each file said of a line: most say it once.
select
    {{ line_id("order_id || '-' || cast(line_number as string)") }} as order_line_id,
    order_id,
    line_number,
    known_at,
    sku as product_id,
    case when is_return then -abs(quantity) else quantity end as quantity,
    is_return,
    coalesce(currency, 'XXX') as source_currency,
    cast(case when is_return then 0 else quantity * unit_price end as decimal(18, 4)) as gross_amount,
    cast(0 as decimal(18, 4)) as discount_amount,
    cast(case when is_return then abs(quantity) * unit_price else 0 end as decimal(18, 4)) as return_amount,
    first_known_at,
    is_latest_version,
    source_file,
    source_line,
    source_key
from {{ ref('stg_store__transactions') }}
where record_status = 'accepted'
