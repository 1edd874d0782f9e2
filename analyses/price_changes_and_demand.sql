-- When a price changes, what do views and sales do?
-- One row a size of the change. Compared are the 14 days before and from the day of the change, of changes that leave
-- both whole. `units_ratio` over 1 after a cut says that it sold more; hold it against the bucket "as before", products
-- whose version changed in something else, for what would have happened anyway.
with versions as (

    select
        product_id,
        valid_from,
        price,
        lag(price) over (partition by product_id order by valid_from) as price_before
    from {{ ref('dim_products_history') }}

),

known as (

    select
        {{ days_after('min(date_day)', 14) }} as first_date,
        {{ days_after('max(date_day)', -14) }} as last_date
    from {{ ref('dim_dates') }}
    where date_day >= (select cast(min(event_at) as date) from {{ ref('fct_events') }})

),

changes as (

    select
        versions.product_id,
        cast(versions.valid_from as date) as changed_date,
        case
            when versions.price < 0.9 * versions.price_before then '1 cut by more than 10%'
            when versions.price < 0.99 * versions.price_before then '2 cut by 1% to 10%'
            when versions.price <= 1.01 * versions.price_before then '3 as before'
            when versions.price <= 1.1 * versions.price_before then '4 raised by 1% to 10%'
            else '5 raised by more than 10%'
        end as change
    from versions
    inner join known
        on versions.valid_from >= known.first_date
        and versions.valid_from <= known.last_date
    where
        versions.price > 0
        and versions.price_before > 0

),

days as (

    select
        product_id,
        cast(event_at as date) as day,
        count(*) as views,
        0 as units
    from {{ ref('fct_events') }}
    where
        event_kind = 'view'
        and not is_bot
    group by all

    union all

    select
        product_id,
        cast(ordered_at as date) as day,
        0 as views,
        sum(quantity) as units
    from {{ ref('fct_order_lines') }}
    where
        not is_cancelled
        and not is_return
    group by all

),

compared as (

    select
        changes.change,
        count(distinct changes.product_id || ' ' || changes.changed_date) as changes,
        sum(days.views) filter (where days.day < changes.changed_date) as views_before,
        sum(days.views) filter (where days.day >= changes.changed_date) as views_after,
        sum(days.units) filter (where days.day < changes.changed_date) as units_before,
        sum(days.units) filter (where days.day >= changes.changed_date) as units_after
    from changes
    left join days
        on changes.product_id = days.product_id
        and days.day >= {{ days_after('changes.changed_date', -14) }}
        and days.day < {{ days_after('changes.changed_date', 14) }}
    group by changes.change

)

select
    compared.*,
    round(views_after / nullif(views_before, 0), 2) as views_ratio,
    round(units_after / nullif(units_before, 0), 2) as units_ratio
from compared
order by change
