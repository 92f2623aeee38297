-- campaign_metrics. Grain: one campaign that the application has, or that sent anything. Counts are the sums of its
-- days in daily_metrics. Inputs: daily_metrics (entity_type 'campaign'), app_campaigns, and the relation `converting`
-- (workspace_id: those that track conversions).
with
lives as (
    select
        workspace_id, entity_id as campaign_id,
        min(date) filter (where metric = 'messages_attempted') as first_date,
        max(date) filter (where metric = 'messages_attempted') as last_date,
        coalesce(sum(value) filter (where metric = 'messages_attempted'), 0) as attempted,
        coalesce(sum(value) filter (where metric = 'messages_sent'), 0) as sent,
        coalesce(sum(value) filter (where metric = 'messages_delivered'), 0) as delivered,
        coalesce(sum(value) filter (where metric = 'messages_read'), 0) as read,
        coalesce(sum(value) filter (where metric = 'messages_failed'), 0) as failed,
        coalesce(sum(value) filter (where metric = 'messages_replied'), 0) as replied,
        coalesce(sum(value) filter (where metric = 'messages_converted'), 0) as converted,
        bool_and(is_complete) as is_complete,
        bool_or(is_provisional) as is_provisional,
        max(last_read_at) as last_read_at
    from daily_metrics
    where entity_type = 'campaign' and platform = 'app'
    group by workspace_id, entity_id
),
known as (
    select workspace_id, id as campaign_id, status, recipients, cost_cents, started_at, completed_at
    from app_campaigns
    where workspace_id is not null
),
campaign_rates as (
    select
        coalesce(k.workspace_id, l.workspace_id) as workspace_id,
        coalesce(k.campaign_id, l.campaign_id) as campaign_id,
        k.status, k.recipients, k.cost_cents, k.started_at, k.completed_at, l.first_date, l.last_date,
        cast(coalesce(l.attempted, 0) as bigint) as messages_attempted,
        cast(coalesce(l.sent, 0) as bigint) as messages_sent,
        cast(coalesce(l.delivered, 0) as bigint) as messages_delivered,
        cast(coalesce(l.read, 0) as bigint) as messages_read,
        cast(coalesce(l.failed, 0) as bigint) as messages_failed,
        cast(coalesce(l.replied, 0) as bigint) as messages_replied,
        cast(coalesce(l.converted, 0) as bigint) as messages_converted,
        l.delivered / nullif(l.sent, 0) as delivery_rate,
        l.read / nullif(l.delivered, 0) as read_rate,
        l.replied / nullif(l.delivered, 0) as reply_rate,
        l.failed / nullif(l.attempted, 0) as failure_rate,
        l.converted / nullif(l.delivered, 0) as conversion_rate,
        t.workspace_id is not null as conversions_tracked,
        coalesce(l.is_complete, false) as is_complete,
        coalesce(l.is_provisional, false) as is_provisional,
        l.last_read_at
    from known as k
    full join lives as l on l.workspace_id = k.workspace_id and l.campaign_id = k.campaign_id
    left join converting as t on t.workspace_id = coalesce(k.workspace_id, l.workspace_id)
),
scores as (
    -- include messaging/campaign_scores.sql
)
select *, 1 as score_version, $now as computed_at
from scores
order by workspace_id, campaign_id
