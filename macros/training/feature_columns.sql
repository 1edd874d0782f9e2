{#- The columns of all training features, each after a comma, for a select from what `feature_joins` has joined. -#}
{% macro feature_columns() -%}
    {%- set features = training_features() -%}
    {%- for name in features.customer.numbers + features.customer.texts %},
    customers.{{ name }} as customer_{{ name }}
    {%- endfor %}
    {%- for name in features.product.numbers + features.product.flags + features.product.texts %},
    products.{{ name }} as product_{{ name }}
    {%- endfor %}
    {%- for name in features.customer_product.counts %},
    coalesce(customer_products.{{ name }}, 0) as customer_product_{{ name }}
    {%- endfor %}
    {%- for name in features.customer_product.numbers %},
    customer_products.{{ name }} as customer_product_{{ name }}
    {%- endfor %}
    {%- for name in features.customer_product.flags %},
    coalesce(customer_products.{{ name }}, false) as customer_product_{{ name }}
    {%- endfor %}
    {%- for name in features.customer_category.numbers %},
    categories.{{ name }} as customer_category_{{ name }}
    {%- endfor %}
{%- endmacro %}

{#- The joins that give rows of a customer, a product and a day their features of that day. -#}
{% macro feature_joins(rows) -%}
    inner join {{ ref('customer_features') }} as customers
        on {{ rows }}.customer_id = customers.customer_id
        and {{ rows }}.feature_at = customers.feature_at
    left join {{ ref('product_features') }} as products
        on {{ rows }}.product_id = products.product_id
        and {{ rows }}.feature_at = products.feature_at
    left join {{ ref('customer_product_features') }} as customer_products
        on {{ rows }}.customer_id = customer_products.customer_id
        and {{ rows }}.product_id = customer_products.product_id
        and {{ rows }}.feature_at = customer_products.feature_at
    left join {{ ref('customer_category_features') }} as categories
        on {{ rows }}.customer_id = categories.customer_id
        and products.category = categories.category
        and {{ rows }}.feature_at = categories.feature_at
{%- endmacro %}
