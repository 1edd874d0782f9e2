{{ config(materialized='view') }}

{% for source_name in var('order_sources') %}
select
    order_id,
    sales_channel,
    source_order_id,
    ordered_at,
    known_at,
    cancelled_at,
    account_id,
    email_hash,
    loyalty_id,
    country_code,
    order_tax_amount
from {{ ref('stg_' ~ source_name ~ '__sales_orders') }}
{{ 'union all' if not loop.last }}
{% endfor %}
