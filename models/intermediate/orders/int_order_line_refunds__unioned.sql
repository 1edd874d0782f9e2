{{ config(materialized='view') }}

{% for source_name in var('refund_sources') %}
select
    refund_line_id,
    order_line_id,
    refunded_at,
    known_at,
    quantity,
    refund_amount
from {{ ref('stg_' ~ source_name ~ '__sales_refunds') }}
{{ 'union all' if not loop.last }}
{% endfor %}
