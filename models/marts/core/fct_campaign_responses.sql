with responses as (

    select * from {{ ref('int_campaign_responses__attributed') }}
    where is_current

),

campaigns as (

    select * from {{ ref('int_campaigns__current') }}

),

-- A platform that names its campaigns in responses and numbers them in its list: a name that only one has tells which.
names as (

    select
        campaign_name,
        min(campaign_id) as campaign_id
    from campaigns
    group by campaign_name
    having count(*) = 1

),

named as (

    select
        responses.response_id,
        responses.customer_id,
        coalesce(responses.campaign_id, names.campaign_id) as campaign_id,
        coalesce(campaigns.campaign_name, responses.campaign_name) as campaign_name,
        responses.metric_name,
        responses.response_type,
        responses.responded_at,
        responses.known_at
    from responses
    left join campaigns on responses.campaign_id = campaigns.campaign_id
    left join names
        on responses.campaign_id is null
        and responses.campaign_name = names.campaign_name

)

select * from named
