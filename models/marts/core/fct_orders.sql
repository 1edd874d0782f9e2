with orders as (

    select * from {{ ref('int_orders__unioned') }}

),

owners as (

    select * from {{ ref('int_orders__attributed') }}
    where is_current

),

completions as (

    select * from {{ ref('int_orders__completed') }}

),

lines as (

    select
        order_id,
        count(*) as line_count,
        cast(sum(quantity) as bigint) as quantity,
        bool_and(is_return) as is_return,
        case when count(*) = count(gross_amount) then cast(sum(gross_amount) as decimal(18, 2)) end as gross_amount,
        case when count(*) = count(discount_amount) then cast(sum(discount_amount) as decimal(18, 2)) end as discount_amount,
        case when count(*) = count(tax_amount) then cast(sum(tax_amount) as decimal(18, 2)) end as tax_amount,
        case when count(*) = count(refund_amount) then cast(sum(refund_amount) as decimal(18, 2)) end as refund_amount,
        case when count(*) = count(net_amount) then cast(sum(net_amount) as decimal(18, 2)) end as net_amount,
        case when min(source_currency) = max(source_currency) then min(source_currency) end as source_currency
    from {{ ref('fct_order_lines') }}
    group by order_id

),

joined as (

    select
        orders.order_id,
        orders.sales_channel,
        orders.source_order_id,
        owners.customer_id,
        completions.session_id,
        orders.ordered_at,
        orders.known_at,
        orders.cancelled_at,
        orders.cancelled_at is not null as is_cancelled,
        coalesce(lines.is_return, false) as is_return,
        orders.country_code,
        lines.source_currency,
        coalesce(lines.line_count, 0) as line_count,
        coalesce(lines.quantity, 0) as quantity,
        lines.gross_amount,
        lines.discount_amount,
        lines.tax_amount,
        lines.refund_amount,
        lines.net_amount
    from orders
    left join owners on orders.order_id = owners.order_id
    left join lines on orders.order_id = lines.order_id
    left join completions on orders.order_id = completions.order_id

),

purchases as (

    select
        order_id,
        row_number() over (partition by customer_id order by ordered_at, order_id) as customer_order_number
    from joined
    where
        customer_id is not null
        and not is_cancelled
        and not is_return

),

numbered as (

    select
        joined.*,
        purchases.customer_order_number,
        purchases.customer_order_number = 1 as is_first_order
    from joined
    left join purchases on joined.order_id = purchases.order_id

)

select * from numbered
