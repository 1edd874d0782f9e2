-- A customer comes to the shop: the first visit of each day, as it was known when the day was over. Nothing of the day
-- itself is in the features of `feature_at`.
with refusals as (

    select
        customer_id,
        valid_from,
        valid_to
    from {{ ref('int_customers__changed') }}
    where
        attribute = 'personalization_consent'
        and value = 'false'

),

cutoffs as (

    select * from {{ ref('int_training_cutoffs') }}

),

moments as (

    select
        customer_id,
        event_at,
        event_date
    from {{ ref('int_events__attributed') }}
    where known_date = event_date
    group by customer_id, event_at, event_date
    having sum(change) > 0

),

gaps as (

    select
        moments.*,
        lag(event_at) over (partition by customer_id order by event_at) as previous_event_at
    from moments

),

-- What began the evening before is that day's visit.
starts as (

    select
        customer_id,
        event_date,
        min(event_at) as asked_at
    from gaps
    where {{ begins_session() }}
    group by customer_id, event_date

),

-- Whoever has taken the consent back by the last day is not learnt from either.
refusing as (

    select refusals.customer_id
    from refusals
    inner join cutoffs
        on refusals.valid_from < cast(cutoffs.last_date as timestamp)
        and refusals.valid_to >= cast(cutoffs.last_date as timestamp)
    group by refusals.customer_id

),

consenting as (

    select starts.*
    from starts
    anti join refusing on starts.customer_id = refusing.customer_id
    anti join refusals
        on starts.customer_id = refusals.customer_id
        and starts.asked_at >= refusals.valid_from
        and starts.asked_at < refusals.valid_to

),

asked as (

    select
        spine.customer_id || ' ' || cast(spine.feature_date as string) as query_id,
        spine.customer_id,
        consenting.asked_at,
        spine.feature_at,
        spine.feature_date,
        cast({{ days_after('spine.feature_date', var('label_days') + var('label_grace_days')) }} as timestamp) as matured_at,
        spine.feature_date < cutoffs.test_until as is_matured,
        case
            when spine.feature_date < cutoffs.train_from then 'warm_up'
            when spine.feature_date < cutoffs.train_until then 'train'
            when spine.feature_date < cutoffs.validation_from then 'embargo'
            when spine.feature_date < cutoffs.validation_until then 'validation'
            when spine.feature_date < cutoffs.test_from then 'embargo'
            when spine.feature_date < cutoffs.test_until then 'test'
            else 'unmatured'
        end as split
    from consenting
    inner join {{ ref('int_feature_spine__customers') }} as spine
        on consenting.customer_id = spine.customer_id
        and consenting.event_date = spine.feature_date
    inner join cutoffs on spine.feature_date < cutoffs.last_date

),

counted as (

    select count(*) as queries
    from asked

)

-- Of more than `training_queries`, that many, drawn by a hash.
select asked.*
from asked
inner join counted on {{ hashed_share('asked.query_id') }} < {{ var('training_queries') }}e0 / counted.queries
