{{ config(materialized='view') }}

select
    order_line_id,
    order_id,
    line_number,
    product_id,
    quantity,
    is_return,
    nullif(source_currency, 'XXX') as source_currency,
    gross_amount,
    discount_amount,
    cast(0 as decimal(18, 4)) as tax_amount,
    return_amount,
    first_known_at as known_at,
    source_file,
    source_line,
    source_key
from {{ ref('stg_store__sales_line_versions') }}
where is_latest_version
