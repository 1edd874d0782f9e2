with logins as (

    select
        anonymous_id,
        user_id as customer_id,
        event_at,
        known_at,
        event_id,
        lag(user_id) over (partition by anonymous_id order by event_at, event_id) as previous_customer_id
    from {{ ref('int_events__unioned') }}
    where
        anonymous_id is not null
        and user_id is not null
        and not coalesce(is_declared_bot, false)

),

-- A span of logins by the same customer; the next customer's login starts the next span.
numbered as (

    select
        logins.*,
        count_if(previous_customer_id is null or previous_customer_id <> customer_id) over (
            partition by anonymous_id
            order by event_at, event_id
            rows between unbounded preceding and current row
        ) as span_number
    from logins

),

spans as (

    select
        anonymous_id,
        customer_id,
        span_number,
        min(event_at) as first_login_at,
        min(known_at) as linked_at
    from numbered
    group by anonymous_id, customer_id, span_number

),

-- What happened before the first login belongs to who logs in first; between two logins, to the earlier one.
links as (

    select
        anonymous_id,
        customer_id,
        case
            when span_number = 1 then timestamp '1900-01-01 00:00:00'
            else first_login_at
        end as valid_from,
        coalesce(
            lead(first_login_at) over (partition by anonymous_id order by span_number),
            timestamp '9999-12-31 00:00:00'
        ) as valid_to,
        linked_at
    from spans

)

select * from links
