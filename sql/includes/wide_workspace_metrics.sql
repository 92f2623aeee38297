-- A column per metric that workspaces alone have. Grain: one period, workspace and platform of the relation `rows`
-- (period, workspace_id, platform, metric, value).
select
    period,
    workspace_id,
    platform,
    max(value) filter (where metric = 'campaign_messages_sent') as campaign_messages_sent,
    max(value) filter (where metric = 'average_campaign_delivery_rate') as average_campaign_delivery_rate,
    max(value) filter (where metric = 'average_campaign_read_rate') as average_campaign_read_rate,
    max(value) filter (where metric = 'campaign_recipients') as campaign_recipients,
    max(value) filter (where metric = 'campaigns_total') as campaigns_total,
    max(value) filter (where metric = 'campaigns_active') as campaigns_active,
    max(value) filter (where metric = 'campaigns_completed') as campaigns_completed,
    max(value) filter (where metric = 'campaigns_failed') as campaigns_failed,
    max(value) filter (where metric = 'contacts_total') as contacts_total,
    max(value) filter (where metric = 'contacts_new') as contacts_new,
    max(value) filter (where metric = 'contacts_blocked') as contacts_blocked,
    max(value) filter (where metric = 'contact_engagement_score') as contact_engagement_score
from rows
group by period, workspace_id, platform
