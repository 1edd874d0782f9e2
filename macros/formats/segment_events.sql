{#-
    Events of a source that speaks Segment's format, web and mobile alike, parsed and checked: one row a landed record.
    `with_hash` keeps content_hash, a tenth of the cost, which a file's line can do without.
    When it happened is told by a clock we trust less than the collector's: the delay between the device's own
    two times is taken from the collector's (Segment's own rule), and nothing happens after it was received.
-#}
{% macro checked_segment_events(source_name, only_new=false, with_hash=false) %}
with landed as (
    {{ landed(source_name, 'events', {
        'event_id': '$.messageId',
        'anonymous_id': '$.anonymousId',
        'user_id': '$.userId',
        'call_type': '$.type',
        'event': '$.event',
        'name': '$.name',
        'original_at': '$.originalTimestamp',
        'sent_at': '$.sentAt',
        'received_at': '$.receivedAt',
        'ip_address': '$.context.ip',
        'user_agent': '$.context.userAgent',
        'locale': '$.context.locale',
        'referrer': '$.context.page.referrer',
        'campaign_source': '$.context.campaign.source',
        'campaign_medium': '$.context.campaign.medium',
        'campaign_name': '$.context.campaign.name',
        'analytics_consent': '$.context.consent.categoryPreferences.' ~ var('consent_categories').analytics,
        'personalization_consent': '$.context.consent.categoryPreferences.' ~ var('consent_categories').personalization,
        'device_id': '$.context.device.id',
        'device_type': '$.context.device.type',
        'advertising_id': '$.context.device.advertisingId',
        'app_version': '$.context.app.version',
        'product_id': '$.properties.product_id',
        'order_id': '$.properties.order_id',
        'quantity': '$.properties.quantity',
        'price': '$.properties.price',
        'currency': '$.properties.currency',
        'position': '$.properties.position',
        'list_id': '$.properties.list_id',
        'search_query': '$.properties.query',
        'products': '$.properties.products'
    }, only_new=only_new) }}
),

typed as (
    select
        landed.event_id,
        nullif(trim(landed.anonymous_id), '') as anonymous_id,
        nullif(trim(landed.user_id), '') as user_id,
        landed.call_type,
        case when landed.call_type in ('page', 'screen') then landed.call_type else landed.event end as event_name,
        landed.name as screen_name,
        {{ utc_timestamp('landed.original_at') }} as original_at,
        {{ utc_timestamp('landed.sent_at') }} as sent_at,
        {{ utc_timestamp('landed.received_at') }} as known_at,
        landed.ip_address,
        landed.user_agent,
        landed.locale,
        landed.referrer,
        landed.campaign_source,
        landed.campaign_medium,
        landed.campaign_name,
        try_cast(trim(landed.analytics_consent) as boolean) as allows_analytics,
        try_cast(trim(landed.personalization_consent) as boolean) as allows_personalization,
        landed.device_id,
        landed.device_type,
        landed.advertising_id,
        landed.app_version,
        nullif(trim(landed.product_id), '') as product_id,
        nullif(trim(landed.order_id), '') as order_id,
        {{ whole_number('landed.quantity') }} as quantity,
        {{ decimal_number('landed.price') }} as price,
        upper(trim(landed.currency)) as currency,
        {{ whole_number('landed.position') }} as position,
        landed.list_id,
        landed.search_query,
        landed.products,
        {{ matches('landed.user_agent', var('bot_user_agents')) }} as is_declared_bot,
        landed.is_readable,
        landed.source_file,
        landed.source_line,
        landed.source_key,
        landed.content_hash,
        landed.landed_at,
        landed.load_id
    from landed
),

happened as (
    select
        typed.*,
        coalesce(known_at - (sent_at - original_at), original_at) as happened_at
    from typed
),

checked as (
    select
        {%- for column in [
            'event_id', 'anonymous_id', 'user_id', 'call_type', 'event_name', 'screen_name', 'known_at', 'ip_address',
            'user_agent', 'locale', 'referrer', 'campaign_source', 'campaign_medium', 'campaign_name',
            'allows_analytics', 'allows_personalization', 'device_id', 'device_type', 'advertising_id', 'app_version', 'product_id', 'order_id', 'quantity', 'price',
            'currency', 'position', 'list_id', 'search_query', 'products', 'is_declared_bot', 'is_readable',
            'source_file', 'source_line', 'source_key', 'landed_at', 'load_id'
        ] + (['content_hash'] if with_hash else []) %}
        {{ column }},
        {%- endfor %}
        -- A device whose clock tells nothing: from when it was received is all that is known.
        case
            when happened_at >= timestamp '{{ var("earliest_date") }}' then least(happened_at, known_at)
            else known_at
        end as event_at,
        case
            when not is_readable then 'payload is not JSON'
            when nullif(trim(event_id), '') is null then 'messageId is missing'
            when known_at is null then 'receivedAt is missing or no time'
            when {{ is_implausible('known_at') }} then 'receivedAt is too early or in the future'
            when anonymous_id is null and user_id is null then 'anonymousId and userId are both missing'
            when event_name is null then 'event is missing'
        end as reject_reason
    from happened
)

select * from checked
{% endmacro %}

{#- The whole staging model of a source that speaks Segment's format: `checked_segment_events`, judged. -#}
{% macro segment_events(source_name) %}
with checked as (
    {{ checked_segment_events(source_name, with_hash=true) }}
)

{{ judged('checked', key=['event_id'], first_by=['known_at', 'source_file', 'source_line', 'source_key']) }}
{% endmacro %}
