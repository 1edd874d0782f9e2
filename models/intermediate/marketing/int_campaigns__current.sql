{{ config(materialized='view') }}

select
    campaign_id,
    campaign_name,
    status,
    channel,
    send_at
from {{ ref('stg_marketing__campaigns') }}
where is_latest_version
