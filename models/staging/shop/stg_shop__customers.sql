with landed as (
    {{ landed_rows('raw_shop', 'customers', [
        'id', 'email', 'created_at', 'updated_at', 'first_name', 'last_name', 'phone', 'country_code', 'accepts_marketing'
    ]) }}
),

typed as (
    select
        cast(id as string) as account_id,
        nullif(lower(trim(email)), '') as email,
        {{ keyed_hash("nullif(lower(trim(email)), '')") }} as email_hash,
        first_name,
        last_name,
        phone,
        upper(nullif(trim(country_code), '')) as country_code,
        accepts_marketing as has_marketing_consent,
        {{ utc_instant('created_at') }} as created_at,
        {{ utc_instant('updated_at') }} as updated_at,
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from landed
),

checked as (
    select
        typed.*,
        case
            when account_id is null then 'id is missing'
            when created_at is null then 'created_at is missing'
            when {{ is_implausible('created_at') }} then 'created_at is too early or in the future'
            when {{ is_implausible('updated_at') }} then 'updated_at is too early or in the future'
        end as reject_reason
    from typed
),

judged as (
    {{ judged_versions('checked', key='account_id') }}
)

select
    judged.*,
    {{ is_latest_version('account_id', ['updated_at', 'landed_at', 'content_hash']) }} as is_latest_version
from judged
