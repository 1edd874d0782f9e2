{{ config(materialized='view') }}

select
    account_id as customer_id,
    created_at,
    country_code,
    has_marketing_consent
from {{ ref('stg_shop__customers') }}
where is_latest_version
