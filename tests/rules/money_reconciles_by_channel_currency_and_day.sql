-- What staging accepted and what is published come to the same, in the currency it was paid in, to the cent.
with staged as (

    {% for source_name in var('order_sources') %}
    select
        orders.sales_channel,
        lines.source_currency,
        cast(orders.ordered_at as date) as order_date,
        sum(lines.gross_amount - lines.discount_amount - lines.return_amount) as amount
    from {{ ref('stg_' ~ source_name ~ '__sales_order_lines') }} as lines
    inner join {{ ref('stg_' ~ source_name ~ '__sales_orders') }} as orders on lines.order_id = orders.order_id
    group by orders.sales_channel, lines.source_currency, cast(orders.ordered_at as date)
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

refunded as (

    select
        order_line_id,
        sum(refund_amount) as refund_amount
    from {{ ref('int_order_line_refunds__unioned') }}
    group by order_line_id

),

published as (

    select
        lines.sales_channel,
        lines.source_currency,
        cast(lines.ordered_at as date) as order_date,
        sum(
            lines.source_gross_amount - lines.source_discount_amount - lines.source_refund_amount
            + coalesce(refunded.refund_amount, 0)
        ) as amount
    from {{ ref('fct_order_lines') }} as lines
    left join refunded on lines.order_line_id = refunded.order_line_id
    group by lines.sales_channel, lines.source_currency, cast(lines.ordered_at as date)

),

compared as (

    select
        coalesce(staged.sales_channel, published.sales_channel) as sales_channel,
        coalesce(staged.source_currency, published.source_currency) as source_currency,
        coalesce(staged.order_date, published.order_date) as order_date,
        coalesce(staged.amount, 0) as staged_amount,
        coalesce(published.amount, 0) as published_amount
    from staged
    full outer join published
        on staged.sales_channel = published.sales_channel
        and staged.source_currency is not distinct from published.source_currency
        and staged.order_date = published.order_date

),

different as (

    select
        *,
        sales_channel || ' on ' || cast(order_date as string) || ': ' || staged_amount || ' '
        || coalesce(source_currency, 'of no currency') || ' staged, ' || published_amount || ' in fct_order_lines, '
        || (published_amount - staged_amount) || ' difference' as message
    from compared
    where staged_amount <> published_amount

)

select
    count(*) as days,
    min(message) as first_day
from different
having
    count(*) > 0
    and {{ raised("cast(count(*) as string) || ' days differ. ' || min(message)", when='count(*) > 0') }}
