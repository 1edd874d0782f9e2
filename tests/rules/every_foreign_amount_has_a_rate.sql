-- Money in a currency without a rate of its day counts as nothing in features: connect fx, or it is too few days back.
{{ config(severity='warn') }}

with order_lines as (

    select * from {{ ref('fct_order_lines') }}

)

select
    source_currency,
    sales_channel,
    count(*) as order_lines,
    min(ordered_at) as first_ordered_at,
    max(ordered_at) as last_ordered_at
from order_lines
where
    source_currency is not null
    and fx_rate is null
group by source_currency, sales_channel
