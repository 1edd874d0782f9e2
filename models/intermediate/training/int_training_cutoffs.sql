{{ config(materialized='view') }}

-- The days on which the splits begin, one row. From the last day back: labels that have not matured, test, embargo,
-- validation, embargo, train, and at the beginning the days that fill the windows. The last day is that of the features, or
-- an earlier one that is asked for: what became known on it or later counts for nothing.
{%- set horizon = var('label_days') + var('label_grace_days') %}
with known as (

    select min(known_date) as first_date
    from {{ ref('int_events__unioned') }}

),

last_day as (

    select
        least(feature_date, date '{{ var("training_until") or "9999-12-31" }}') as last_date
    from {{ ref('int_feature_spine__last_day') }}

),

tests as (

    select
        last_date,
        {{ days_after('last_date', -horizon) }} as test_until,
        {{ days_after('last_date', -horizon - var('test_days')) }} as test_from
    from last_day

),

validations as (

    select
        tests.*,
        {{ days_after('test_from', -horizon) }} as validation_until,
        {{ days_after('test_from', -horizon - var('validation_days')) }} as validation_from
    from tests

)

select
    {{ days_after('known.first_date', var('warm_up_days')) }} as train_from,
    {{ days_after('validations.validation_from', -horizon) }} as train_until,
    validations.validation_from,
    validations.validation_until,
    validations.test_from,
    validations.test_until,
    validations.last_date
from validations
cross join known
