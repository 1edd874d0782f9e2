-- Most orders have one currency: only those are here that the shop said otherwise of later. What the first version says is
-- as old as the order, what a later one says as that version.
with corrected as (
    select order_id
    from {{ ref('stg_shop__orders') }}
    where record_status = 'accepted'
    group by order_id
    having min(coalesce(currency, 'XXX')) <> max(coalesce(currency, 'XXX'))
),

versions as (
    select
        orders.order_id,
        orders.known_at,
        coalesce(orders.currency, 'XXX') as source_currency,
        coalesce(orders.updated_at, orders.landed_at) as changed_at,
        orders.source_file,
        orders.source_line,
        orders.source_key,
        orders.version_number,
        lag(coalesce(orders.currency, 'XXX')) over (
            partition by orders.order_id
            order by orders.version_number
        ) as previous_currency
    from {{ ref('stg_shop__orders') }} as orders
    inner join corrected on orders.order_id = corrected.order_id
    where orders.record_status = 'accepted'
),

changed as (
    select
        versions.*,
        case when version_number = 1 then known_at else greatest(changed_at, known_at) end as valid_from
    from versions
    where version_number = 1 or source_currency <> previous_currency
),

spans as (
    select
        'web_shop-' || order_id as order_id,
        source_currency,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by order_id order by version_number),
            timestamp '9999-12-31 00:00:00'
        ) as valid_to,
        source_file,
        source_line,
        source_key
    from changed
)

select * from spans
where valid_from < valid_to
