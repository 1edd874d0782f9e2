{{ config(materialized='view') }}

{% for source_name in var('order_sources') %}
select
    order_line_id,
    order_id,
    line_number,
    product_id,
    quantity,
    is_return,
    source_currency,
    gross_amount,
    discount_amount,
    tax_amount,
    return_amount,
    known_at,
    {{ 'true' if source_name in var('line_version_sources') else 'false' }} as is_versioned
from {{ ref('stg_' ~ source_name ~ '__sales_order_lines') }}
{{ 'union all' if not loop.last }}
{% endfor %}
