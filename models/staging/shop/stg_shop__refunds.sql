with landed as (
    {{ landed_rows('raw_shop', 'refund', ['id', 'order_id', 'created_at', 'processed_at']) }}
),

typed as (
    select
        cast(id as string) as refund_id,
        cast(order_id as string) as order_id,
        {{ utc_instant('created_at') }} as created_at,
        {{ utc_instant('processed_at') }} as processed_at,
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
            when refund_id is null then 'id is missing'
            when order_id is null then 'order_id is missing'
            when created_at is null then 'created_at is missing'
            when {{ is_implausible('created_at') }} then 'created_at is too early or in the future'
        end as reject_reason
    from typed
),

-- A later version may say another day: what counted for a day stays with that day.
judged as (
    {{ judged_versions('checked', key='refund_id', first_said={
        'known_at': 'created_at',
        'refunded_at': 'coalesce(processed_at, created_at)'
    }) }}
)

select
    judged.*,
    {{ is_latest_version('refund_id', ['landed_at', 'content_hash']) }} as is_latest_version
from judged
