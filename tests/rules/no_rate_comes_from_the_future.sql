-- A rate is published at 16:00 in Frankfurt: an order takes one that was, and none that is older than allowed.
select
    order_line_id,
    ordered_at,
    fx_date
from {{ ref('fct_order_lines') }}
where
    fx_date is not null
    and (
        {{ utc_from_local('(cast(fx_date as timestamp) + interval 16 hour)', "'Europe/Berlin'") }} > ordered_at
        or fx_date < {{ days_after('cast(ordered_at as date)', '-1 - ' ~ var('exchange_rate_max_age_days')) }}
    )
