-- Campaigns that only responses know of are there, too: no fact loses its campaign.
with campaigns as (

    select * from {{ ref('int_campaigns__current') }}

),

responses as (

    select
        campaign_id,
        max_by(campaign_name, (responded_at, campaign_name)) as campaign_name
    from {{ ref('int_campaign_responses__attributed') }}
    where campaign_id is not null
    group by campaign_id

)

select
    coalesce(campaigns.campaign_id, responses.campaign_id) as campaign_id,
    campaigns.campaign_id is not null as is_on_platform,
    coalesce(campaigns.campaign_name, responses.campaign_name) as campaign_name,
    campaigns.status,
    campaigns.channel,
    campaigns.send_at
from campaigns
full join responses on campaigns.campaign_id = responses.campaign_id
