with responses as (

    select * from {{ ref('int_campaign_responses__attributed') }}
    where is_current

),

campaigns as (

    select * from {{ ref('int_campaigns__current') }}

),

named as (

    select
        responses.response_id,
        responses.customer_id,
        responses.campaign_id,
        coalesce(campaigns.campaign_name, responses.campaign_name) as campaign_name,
        responses.metric_name,
        responses.response_type,
        responses.responded_at,
        responses.known_at
    from responses
    left join campaigns on responses.campaign_id = campaigns.campaign_id

)

select * from named
