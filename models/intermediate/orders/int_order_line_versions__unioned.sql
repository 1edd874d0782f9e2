{{ config(materialized='view') }}

{% for source_name in var('line_version_sources') %}
select
    order_line_id,
    known_at,
    product_id,
    quantity,
    is_return,
    source_currency,
    gross_amount,
    discount_amount,
    return_amount
from {{ ref('stg_' ~ source_name ~ '__sales_line_versions') }}
{{ 'union all' if not loop.last }}
{% endfor %}
