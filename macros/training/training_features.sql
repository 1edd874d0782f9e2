{#-
    The features that training reads, by the table they come from: `numbers` (`counts` are those of them that are 0 where
    there is no row), `flags` and `texts`. In the tables of training a feature has its table's name before its own.
-#}
{% macro training_features() -%}
    {%- set windows = ['1d', '7d', '30d', '90d'] -%}
    {%- set features = {
        'customer': {
            'counts': [],
            'numbers': ['recency_days', 'tenure_days'],
            'flags': [],
            'texts': [
                'top_category_90d', 'top_brand_90d', 'rfm_segment', 'lifecycle_stage', 'loyalty_tier', 'country_code'
            ]
        },
        'product': {'counts': [], 'numbers': [], 'flags': ['is_cold_start'], 'texts': ['category']},
        'customer_product': {'counts': [], 'numbers': [], 'flags': ['in_cart'], 'texts': []},
        'customer_category': {
            'counts': [],
            'numbers': ['view_share_90d', 'order_share_90d', 'days_since_last', 'affinity_decayed'],
            'flags': [],
            'texts': []
        }
    } -%}
    {%- for window in windows -%}
        {%- for measure in ['orders', 'revenue', 'views', 'carts', 'sessions'] -%}
            {%- do features.customer.numbers.append(measure ~ '_' ~ window) -%}
        {%- endfor -%}
        {%- for measure in ['views', 'carts', 'orders', 'buyers', 'revenue'] -%}
            {%- do features.product.numbers.append(measure ~ '_' ~ window) -%}
        {%- endfor -%}
        {%- for measure in ['views', 'carts', 'orders'] -%}
            {%- do features.customer_product.counts.append(measure ~ '_' ~ window) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do features.customer.numbers.extend([
        'average_order_value_90d', 'orders_lifetime', 'revenue_lifetime', 'days_between_orders_avg', 'return_rate_90d',
        'cart_abandon_rate_30d', 'discount_share_90d', 'categories_90d', 'category_entropy_90d',
        'price_percentile_avg_90d', 'email_open_rate_90d', 'email_click_rate_90d', 'app_share_30d', 'night_share_30d'
    ]) -%}
    {%- do features.product.numbers.extend([
        'view_to_cart_rate_30d', 'cart_to_order_rate_30d', 'click_rate_30d', 'return_rate_90d', 'repurchase_rate_90d',
        'trend_ratio_7d_30d', 'age_days', 'price', 'price_vs_category', 'price_change_30d', 'in_stock_ratio_30d',
        'popularity_rank_7d', 'category_rank_7d'
    ]) -%}
    {%- do features.customer_product.numbers.extend(['days_since_view', 'days_since_cart', 'days_since_order']) -%}
    {#- The linter looks at the form, which two features of a kind have as well as forty. -#}
    {%- if target.name == 'lint' -%}
        {%- for kinds in features.values() -%}
            {%- for kind, names in kinds.items() -%}
                {%- do kinds.update({kind: names[:2]}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(features) }}
{%- endmacro %}
