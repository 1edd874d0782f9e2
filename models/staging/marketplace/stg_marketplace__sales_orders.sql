{{ config(materialized='view') }}

with cancellations as (
    select * from {{ ref('stg_marketplace__sales_order_cancellations') }}
    where reinstated_at is null
),

-- Where an order is from: a record that cancels it, where one does. Of what it holds, its lines tell.
orders as (
    select
        reports.*,
        row_number() over (
            partition by reports.order_id
            order by
                case when reports.updated_at = cancellations.cancelled_at then 0 else 1 end,
                reports.updated_at,
                reports.source_file,
                reports.source_line,
                reports.load_id
        ) as place
    from {{ ref('stg_marketplace__orders') }} as reports
    left join cancellations on 'marketplace-' || reports.order_id = cancellations.order_id
    where reports.record_status = 'accepted'
),

-- The report repeats an order whenever it changes: what was known when is in its versions.
summed as (
    select
        'marketplace-' || order_id as order_id,
        'marketplace' as sales_channel,
        order_id as source_order_id,
        min_by(purchased_at, (updated_at, source_file, source_line)) as ordered_at,
        greatest(min_by(purchased_at, (updated_at, source_file, source_line)), min(updated_at)) as known_at,
        max(country_code) as country_code,
        max(source_file) filter (where place = 1) as source_file,
        max(source_line) filter (where place = 1) as source_line,
        max(source_key) filter (where place = 1) as source_key
    from orders
    group by order_id
),

current_orders as (
    select
        summed.order_id,
        summed.sales_channel,
        summed.source_order_id,
        summed.ordered_at,
        summed.known_at,
        cancellations.cancelled_at,
        cast(null as string) as account_id,
        cast(null as string) as email_hash,
        cast(null as string) as loyalty_id,
        summed.country_code,
        cast(null as decimal(18, 4)) as order_tax_amount,
        summed.source_file,
        summed.source_line,
        summed.source_key
    from summed
    left join cancellations on summed.order_id = cancellations.order_id
)

select * from current_orders
