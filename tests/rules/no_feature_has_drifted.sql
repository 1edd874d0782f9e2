-- Customers change, and so may features: these did last week. It stops nothing.
{{ config(severity='warn') }}

with drift as (

    select * from {{ ref('feature_drift') }}

),

last_week as (

    select max(feature_at) as feature_at
    from drift

)

select
    drift.feature,
    drift.feature_at,
    drift.psi,
    drift.rows_compared,
    drift.reference_rows
from drift
inner join last_week on drift.feature_at = last_week.feature_at
where
    drift.psi > {{ var('drift_limit') }}
    and drift.feature not in (
        {%- for feature in var('drifts_by_nature') %}
        '{{ feature }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
