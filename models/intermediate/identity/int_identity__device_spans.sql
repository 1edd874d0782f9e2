{{ config(materialized='incremental', incremental_strategy='replace_devices') }}

-- Whose a device was, as it was known at each time. A login holds from when it happened to the next one, but the next
-- one may become known much later: until then it holds on. What came before the first known login is that one's, until
-- a login that happened still earlier becomes known.
with preceded as (

    select
        logins.*,
        lag(identity) over device_logins as previous_identity,
        lag(known_at) over device_logins as previous_known_at
    from {{ ref('int_identity__logins') }} as logins
    where {{ has_new_logins('device_id') }}
    window device_logins as (partition by device_id order by event_at, event_id)

),

-- The logins that say something new.
logins as (

    select
        device_id,
        identity_type,
        identity,
        event_at,
        known_at,
        row_number() over device_logins as place,
        min(known_at) over (
            partition by device_id
            order by event_at, event_id
            rows between unbounded preceding and 1 preceding
        ) as earlier_known_at,
        max(known_at) over (
            partition by device_id
            order by event_at, event_id
            rows between unbounded preceding and 1 preceding
        ) as latest_earlier_known_at
    from preceded
    where
        previous_identity is null
        or previous_identity <> identity
        or previous_known_at > known_at
    window device_logins as (partition by device_id order by event_at, event_id)

),

-- The logins that end another's time: the next one, and those that were known before some earlier one was.
ended as (

    select
        logins.device_id,
        logins.identity_type,
        logins.identity,
        logins.place,
        logins.known_at as linked_at,
        enders.event_at as valid_from,
        enders.known_at as unlinked_at,
        min(enders.known_at) over (
            partition by logins.device_id, logins.place
            order by enders.place
            rows between unbounded preceding and 1 preceding
        ) as former_unlinked_at
    from logins
    inner join logins as enders
        on logins.device_id = enders.device_id
        and (
            enders.place = logins.place + 1
            or (enders.place > logins.place and enders.known_at < enders.latest_earlier_known_at)
        )

),

stepped as (

    select
        ended.*,
        coalesce(
            lead(valid_from) over (partition by device_id, place order by valid_from asc, unlinked_at desc),
            timestamp '9999-12-31 00:00:00'
        ) as valid_to
    from ended
    where former_unlinked_at is null or unlinked_at < former_unlinked_at

),

spans as (

    -- From a login to the next.
    select
        device_id,
        identity_type,
        identity,
        event_at as valid_from,
        coalesce(
            lead(event_at) over (partition by device_id order by place),
            timestamp '9999-12-31 00:00:00'
        ) as valid_to,
        known_at as linked_at,
        timestamp '9999-12-31 00:00:00' as unlinked_at
    from logins

    union all

    -- Beyond the next, while that one was not known.
    select
        device_id,
        identity_type,
        identity,
        valid_from,
        valid_to,
        linked_at,
        unlinked_at
    from stepped
    where linked_at < unlinked_at

    union all

    -- Before the first.
    select
        device_id,
        identity_type,
        identity,
        timestamp '1900-01-01 00:00:00' as valid_from,
        event_at as valid_to,
        known_at as linked_at,
        coalesce(earlier_known_at, timestamp '9999-12-31 00:00:00') as unlinked_at
    from logins
    where earlier_known_at is null or known_at < earlier_known_at

)

select * from spans
where valid_from < valid_to
