{{ config(materialized='incremental', incremental_strategy='replace_lines') }}

-- What each order line was said to be, from when until when, and what that was worth.
with lines as (

    select * from {{ ref('int_order_lines__rated') }}
    where {{ is_changed_line('order_line_id') }}

),

versions as (

    -- Those of other lines would find none to join, but only after all had been read.
    select * from {{ ref('int_order_line_versions__unioned') }}
    where {{ is_changed_line('order_line_id') }}

),

rates as (

    select * from {{ ref('int_conversion_rates__crossed') }}

),

-- What was said to be in another currency than the line is now takes that one's rate of when it was ordered.
rated as (

    select
        lines.order_line_id,
        lines.order_id,
        versions.product_id,
        lines.sales_channel,
        lines.ordered_at,
        versions.known_at,
        versions.quantity,
        versions.is_return,
        versions.gross_amount,
        versions.discount_amount,
        versions.return_amount,
        case
            when nullif(versions.source_currency, lines.source_currency) is null then lines.fx_rate
            when versions.source_currency = '{{ var("reporting_currency") }}' then cast(1 as double)
            else rates.conversion_rate
        end as fx_rate
    from lines
    inner join versions on lines.order_line_id = versions.order_line_id
    left join rates
        on nullif(versions.source_currency, lines.source_currency) = rates.source_currency
        and lines.ordered_at >= rates.valid_from
        and lines.ordered_at < rates.valid_to

),

-- A line that is pending without a price is no sale yet, and one that is cancelled before it has one never was: they have no
-- version, and none is made up for them.
states as (

    select
        order_line_id,
        order_id,
        product_id,
        sales_channel,
        ordered_at,
        known_at,
        fx_rate,
        case when is_return then 0 else quantity end as units,
        case when is_return then -quantity else 0 end as returned_units,
        {{ minor_units('gross_amount') }} as gross_minor,
        {{ minor_units('discount_amount') }} as discount_minor,
        case when is_return then {{ minor_units('return_amount') }} else 0 end as refund_minor
    from rated

    union all

    select
        lines.order_line_id,
        lines.order_id,
        lines.product_id,
        lines.sales_channel,
        lines.ordered_at,
        lines.known_at,
        lines.fx_rate,
        case when lines.is_return then 0 else lines.quantity end as units,
        case when lines.is_return then -lines.quantity else 0 end as returned_units,
        {{ minor_units('lines.gross_amount') }} as gross_minor,
        {{ minor_units('lines.discount_amount') }} as discount_minor,
        case when lines.is_return then {{ minor_units('lines.return_amount') }} else 0 end as refund_minor
    from lines
    where
        not lines.is_versioned
        and lines.gross_amount is not null

)

select
    states.*,
    min(known_at) over (partition by order_line_id) as first_known_at,
    lead(known_at) over line_versions as next_known_at,
    lag(fx_rate) over line_versions as former_fx_rate
from states
window line_versions as (partition by order_line_id order by known_at)
