-- Every accepted event and every order line of every source is published, once.
with staged as (

    {% for source_name in var('event_sources') %}
    select
        '{{ source_name }} events' as records_of,
        count(*) as records
    from {{ ref('stg_' ~ source_name ~ '__events') }}
    where record_status = 'accepted'
    union all
    {% endfor %}
    {% for source_name in var('order_sources') %}
    select
        '{{ source_name }} order lines' as records_of,
        count(*) as records
    from {{ ref('stg_' ~ source_name ~ '__sales_order_lines') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

totals as (

    select
        sum(case when records_of like '% events' then records else 0 end) as events,
        sum(case when records_of like '% order lines' then records else 0 end) as order_lines
    from staged

),

published as (

    select
        (select count(*) from {{ ref('fct_events') }}) as events,
        (select count(*) from {{ ref('fct_order_lines') }}) as order_lines

)

select
    totals.events as staged_events,
    published.events as published_events,
    totals.order_lines as staged_order_lines,
    published.order_lines as published_order_lines
from totals
cross join published
where
    totals.events <> published.events
    or totals.order_lines <> published.order_lines
