-- Customers change, and so may features: this warns of those that did last week, and stops nothing.
{{ config(severity='warn') }}

with drift as (

    select * from {{ ref('feature_drift') }}

)

select
    feature,
    feature_at,
    psi,
    rows_compared,
    reference_rows
from drift
where
    feature_at = (select max(feature_at) from drift)
    and psi > {{ var('drift_limit') }}
