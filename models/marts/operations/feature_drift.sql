with binned as (

    select * from {{ ref('int_features__binned') }}

),

bins as (

    select
        feature,
        bin
    from binned
    group by feature, bin

),

days as (

    select
        feature,
        feature_at,
        sum(rows_counted) as day_rows
    from binned
    group by feature, feature_at

),

-- Each Monday beside the four before it.
compared as (

    select
        days.feature,
        days.feature_at,
        bins.bin,
        sum(case when binned.feature_at = days.feature_at then binned.rows_counted else 0 end) as after,
        sum(case when binned.feature_at < days.feature_at then binned.rows_counted else 0 end) as before
    from days
    inner join bins on days.feature = bins.feature
    inner join binned
        on bins.feature = binned.feature
        and bins.bin = binned.bin
        and cast(binned.feature_at as date) between {{ days_after('cast(days.feature_at as date)', -28) }}
        and cast(days.feature_at as date)
    group by days.feature, days.feature_at, bins.bin

),

shares as (

    select
        feature,
        feature_at,
        sum(after) over (partition by feature, feature_at) as day_rows,
        sum(before) over (partition by feature, feature_at) as reference_rows,
        greatest(after / nullif(cast(sum(after) over (partition by feature, feature_at) as double), 0), 0.0001e0) as after,
        greatest(before / nullif(cast(sum(before) over (partition by feature, feature_at) as double), 0), 0.0001e0) as before
    from compared

)

select
    feature,
    feature_at,
    cast(max(day_rows) as bigint) as rows_compared,
    cast(max(reference_rows) as bigint) as reference_rows,
    {{ settled('sum((after - before) * ln(after / before))') }} as psi
from shares
where
    day_rows >= {{ var('drift_least_rows') }}
    and reference_rows >= {{ var('drift_least_rows') }}
group by feature, feature_at
