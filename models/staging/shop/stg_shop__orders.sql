with landed as (
    {{ landed_rows('raw_shop', 'orders', [
        'id', 'customer_id', 'email', 'created_at', 'processed_at', 'updated_at', 'cancelled_at', 'financial_status',
        'fulfillment_status', 'currency', 'subtotal_price', 'total_discounts', 'total_tax', 'total_price',
        'source_name', 'test'
    ]) }}
),

typed as (
    select
        cast(id as string) as order_id,
        cast(customer_id as string) as account_id,
        nullif(lower(trim(email)), '') as email,
        {{ keyed_hash("nullif(lower(trim(email)), '')") }} as email_hash,
        {{ utc_instant('created_at') }} as created_at,
        {{ utc_instant('processed_at') }} as processed_at,
        {{ utc_instant('updated_at') }} as updated_at,
        {{ utc_instant('cancelled_at') }} as cancelled_at,
        financial_status,
        fulfillment_status,
        upper(nullif(trim(currency), '')) as currency,
        cast(subtotal_price as decimal(18, 4)) as subtotal_price,
        cast(total_discounts as decimal(18, 4)) as total_discounts,
        cast(total_tax as decimal(18, 4)) as total_tax,
        cast(total_price as decimal(18, 4)) as total_price,
        source_name,
        coalesce(test, false) as is_test,
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from landed
),

checked as (
    select
        typed.*,
        case
            when order_id is null then 'id is missing'
            when created_at is null then 'created_at is missing'
            when {{ is_implausible('created_at') }} then 'created_at is too early or in the future'
            when {{ is_implausible('updated_at') }} then 'updated_at is too early or in the future'
            when {{ is_implausible('cancelled_at') }} then 'cancelled_at is too early or in the future'
            when is_test then 'order is marked as a test'
        end as reject_reason
    from typed
),

-- A later version may say that it was created on another day: what counted for a day stays with that day.
judged as (
    {{ judged_versions('checked', key='order_id', first_said={'ordered_at': 'created_at'}) }}
),

turned as (
    select
        judged.*,
        min(case when reject_reason = 'order is marked as a test' then coalesce(updated_at, landed_at) end)
            over (partition by order_id) as marked_at,
        min(case when record_status = 'accepted' then coalesce(updated_at, landed_at) end)
            over (partition by order_id) as accepted_at
    from judged
)

{%- set told_by = ['coalesce(updated_at, landed_at)', 'landed_at', 'content_hash'] %}

select
    turned.*,
    -- One that was a test at first is an order from the version that says so.
    case when marked_at < accepted_at then greatest(ordered_at, accepted_at) else ordered_at end as known_at,
    {{ version_number('order_id', told_by) }} as version_number,
    {{ is_latest_version('order_id', told_by) }} as is_latest_version
from turned
