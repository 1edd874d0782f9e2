{{ config(materialized='incremental', unique_key='known_date') }}

-- Which events are which customer's, as changes: an event is added (1) on the day it is known to be theirs, and taken
-- back (-1) on the day it turns out to be someone else's, or a bot's. What would be taken back the same day is left out.
with links as (

    select * from {{ ref('int_identity__links') }}
    where identifier_type = 'device'

),

bots as (

    select * from {{ ref('int_bots__flagged') }}

),

changed_devices as (
    {{ changed_devices() }}
),

events as (

    select * from {{ ref('int_events__unioned') }}
    where known_date >= {{ replaced_from('known_date') }}

    union all

    select * from {{ ref('int_events__unioned') }}
    where
        known_date < {{ replaced_from('known_date') }}
        and device_id in (select device_id from changed_devices)

),

owned as (

    select
        source,
        event_id,
        event_kind,
        event_at,
        event_date,
        product_id,
        device_id,
        user_id as customer_id,
        known_date as attributed_date,
        date '9999-12-31' as unattributed_date,
        false as is_linked
    from events
    where
        user_id is not null
        and allows_personalization
        and not is_declared_bot

    union all

    select
        events.source,
        events.event_id,
        events.event_kind,
        events.event_at,
        events.event_date,
        events.product_id,
        events.device_id,
        links.customer_id,
        cast(greatest(events.known_at, links.linked_at) as date) as attributed_date,
        cast(links.unlinked_at as date) as unattributed_date,
        true as is_linked
    from events
    inner join links
        on events.device_id = links.identifier
        and events.event_at >= links.valid_from
        and events.event_at < links.valid_to
    where
        events.user_id is null
        and events.allows_personalization
        and not events.is_declared_bot

),

refusals as (

    select
        customer_id,
        valid_from,
        valid_to
    from {{ ref('int_customers__changed') }}
    where
        attribute = 'personalization_consent'
        and value = 'false'

),

-- What happened while its customer did not want it used is not theirs, now or later.
limited as (

    select
        owned.*,
        least(owned.unattributed_date, coalesce(bots.flagged_date, owned.unattributed_date)) as last_date
    from owned
    left join bots on owned.device_id = bots.device_id
    anti join refusals
        on owned.customer_id = refusals.customer_id
        and owned.event_at >= refusals.valid_from
        and owned.event_at < refusals.valid_to

),

changes as (

    select
        *,
        attributed_date as known_date,
        1 as change
    from limited
    where attributed_date < last_date

    union all

    select
        *,
        last_date as known_date,
        -1 as change
    from limited
    where
        attributed_date < last_date
        and last_date < date '9999-12-31'

)

select
    customer_id,
    source,
    event_id,
    event_kind,
    event_at,
    event_date,
    known_date,
    product_id,
    cast(change as bigint) as change
from changes
where
    not is_linked
    and known_date >= {{ replaced_from('known_date') }}

union all

-- Two links of a device to one customer, the one ending when the other begins, are one.
select
    customer_id,
    source,
    event_id,
    event_kind,
    event_at,
    event_date,
    known_date,
    product_id,
    cast(sum(change) as bigint) as change
from changes
where
    is_linked
    and known_date >= {{ replaced_from('known_date') }}
group by customer_id, source, event_id, event_kind, event_at, event_date, known_date, product_id
having sum(change) <> 0
