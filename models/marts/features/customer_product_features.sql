{{ config(materialized='view') }}

-- Nothing is left to compute but what the cart held: rows that are written once are enough. The table is named without its
-- database, so that whoever attaches the warehouse under another name reads this, too.
select
    customer_id,
    product_id,
    feature_at,
    {% for window in ['1d', '7d', '30d', '90d'] %}
    views_{{ window }},
    carts_{{ window }},
    orders_{{ window }},
    {% endfor %}
    days_since_view,
    days_since_cart,
    days_since_order,
    coalesce(
        left_in_cart > 0
        and coalesce(days_since_removal >= days_since_cart, true)
        and coalesce(days_since_order > days_since_cart, true),
        false
    ) as in_cart
from {{ ref('int_customer_products__windowed').include(database=false) }}
