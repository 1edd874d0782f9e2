-- depends_on: {{ ref('customer_features') }}
with arrivals as (

    select * from {{ ref('int_arrivals__daily') }}

),

-- What was built together came together.
builds as (

    select
        source,
        load_id,
        built_at
    from {{ build_log() }}
    where model = 'customer_features'

),

-- Built with a source that was new then: that brings its history, and the build goes back to the first day of it.
with_new_sources as (

    select min(built_at) as built_at
    from builds
    group by source

),

built as (

    select
        arrivals.*,
        builds.built_at,
        -- What had been built before.
        max(arrivals.happened_date) over (
            order by builds.built_at
            range between unbounded preceding and interval 1 microsecond preceding
        ) as newest_date
    from arrivals
    inner join builds
        on arrivals.source = builds.source
        and arrivals.load_id = builds.load_id

)

select
    source,
    load_id,
    landed_at,
    known_date,
    newest_date,
    records
from built
where
    known_date < {{ days_after('newest_date', -var('late_days')) }}
    and built_at not in (select built_at from with_new_sources)
