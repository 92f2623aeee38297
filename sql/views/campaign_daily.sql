-- One campaign on one day on which it sent anything or began, a column per metric: of the messages of that day, and
-- since its beginning as lifetime_*.
select
    date,
    workspace_id,
    entity_id as campaign_id,
    max(value) filter (where metric = 'campaign_recipients') as campaign_recipients,
    max(value) filter (where metric = 'messages_attempted') as messages_attempted,
    max(value) filter (where metric = 'messages_sent') as messages_sent,
    max(value) filter (where metric = 'messages_delivered') as messages_delivered,
    max(value) filter (where metric = 'messages_read') as messages_read,
    max(value) filter (where metric = 'messages_failed') as messages_failed,
    max(value) filter (where metric = 'messages_replied') as messages_replied,
    max(value) filter (where metric = 'messages_converted') as messages_converted,
    max(value) filter (where metric = 'delivery_rate') as delivery_rate,
    max(value) filter (where metric = 'read_rate') as read_rate,
    max(value) filter (where metric = 'reply_rate') as reply_rate,
    max(value) filter (where metric = 'failure_rate') as failure_rate,
    max(value) filter (where metric = 'conversion_rate') as conversion_rate,
    max(value) filter (where metric = 'message_engagement_rate') as message_engagement_rate,
    max(value) filter (where metric = 'campaign_score') as campaign_score,
    max(lifetime_value) filter (where metric = 'messages_attempted') as lifetime_messages_attempted,
    max(lifetime_value) filter (where metric = 'messages_sent') as lifetime_messages_sent,
    max(lifetime_value) filter (where metric = 'messages_delivered') as lifetime_messages_delivered,
    max(lifetime_value) filter (where metric = 'messages_read') as lifetime_messages_read,
    max(lifetime_value) filter (where metric = 'messages_failed') as lifetime_messages_failed,
    max(lifetime_value) filter (where metric = 'messages_replied') as lifetime_messages_replied,
    max(lifetime_value) filter (where metric = 'messages_converted') as lifetime_messages_converted,
    max(lifetime_value) filter (where metric = 'delivery_rate') as lifetime_delivery_rate,
    max(lifetime_value) filter (where metric = 'read_rate') as lifetime_read_rate,
    max(lifetime_value) filter (where metric = 'reply_rate') as lifetime_reply_rate,
    max(lifetime_value) filter (where metric = 'failure_rate') as lifetime_failure_rate,
    max(lifetime_value) filter (where metric = 'conversion_rate') as lifetime_conversion_rate,
    max(lifetime_value) filter (where metric = 'message_engagement_rate') as lifetime_message_engagement_rate,
    count(*) filter (where not is_complete) as incomplete_metrics,
    max(last_read_at) as last_read_at
from daily_metrics
where entity_type = 'campaign'
group by date, workspace_id, entity_id
