{{ config(materialized='view') }}

with accepted as (
    select * from {{ ref('stg_marketplace__orders') }}
    where record_status = 'accepted'
),

-- Where an order is from: the record that cancels it, where one does. Of what it holds, its lines tell.
orders as (
    select
        accepted.*,
        min(case when order_status like 'cancel%' then updated_at end)
            over (partition by order_id, sku) as sku_cancelled_at,
        row_number() over (
            partition by order_id
            order by
                case when order_status like 'cancel%' then 0 else 1 end,
                updated_at,
                source_file,
                source_line,
                load_id
        ) as place
    from accepted
),

-- The report repeats an order whenever it changes: what was known when is in its versions. Its last line cancels it.
summed as (
    select
        'marketplace-' || order_id as order_id,
        'marketplace' as sales_channel,
        order_id as source_order_id,
        min_by(purchased_at, (updated_at, source_file, source_line)) as ordered_at,
        greatest(min_by(purchased_at, (updated_at, source_file, source_line)), min(updated_at)) as known_at,
        case
            when bool_and(order_status like 'cancel%') filter (where is_latest_version)
                then max(sku_cancelled_at)
        end as cancelled_at,
        cast(null as string) as account_id,
        cast(null as string) as email_hash,
        cast(null as string) as loyalty_id,
        max(country_code) as country_code,
        cast(null as decimal(18, 4)) as order_tax_amount,
        max(source_file) filter (where place = 1) as source_file,
        max(source_line) filter (where place = 1) as source_line,
        max(source_key) filter (where place = 1) as source_key
    from orders
    group by order_id
)

select * from summed
