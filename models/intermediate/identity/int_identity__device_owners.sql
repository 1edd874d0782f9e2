{{ config(materialized='incremental', incremental_strategy='append') }}

-- Whom a build has held for the owner of a device. What lands late may say that they never were: no link tells of them then,
-- but their sessions hold the device's events until they are cut anew.
with links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type = 'device'

)

select
    links.identifier as device_id,
    links.customer_id
from links
{% if is_incremental() -%}
anti join {{ this }} as held
    on links.identifier = held.device_id
    and links.customer_id = held.customer_id
{% endif -%}
group by links.identifier, links.customer_id
