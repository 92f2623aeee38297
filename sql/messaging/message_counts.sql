-- Counts of messages as metrics, long, from the relation `sums` (messaging/message_sums.sql; null where nothing is
-- known of a day). Grain: one metric of one entity (of level $level) and day.
select
    s.date, s.workspace_id, s.entity_id, m.metric,
    'messages' as topic,
    false as is_level,
    s.attempted is null as is_idle,
    cast(case m.metric
        when 'messages_attempted' then s.attempted
        when 'messages_outbound' then s.attempted
        when 'messages_sent' then s.sent
        when 'messages_delivered' then s.delivered
        when 'messages_read' then s.read
        when 'messages_failed' then s.failed
        when 'messages_replied' then s.replied
        when 'messages_converted' then s.converted
        when 'messages_inbound' then s.inbound
        when 'messages_answered' then s.answered
        when 'messages_unanswered' then s.unanswered
        when 'response_time_seconds' then s.response_seconds
        when 'contacts_active' then s.active_contacts
        when 'campaign_messages_sent' then s.campaign_sent
    end as double) as value,
    cast(null as double) as lifetime_value,
    cast(null as double) as numerator,
    cast(null as double) as denominator
from sums as s
inner join metric_catalog as m on list_contains(m.levels, $level)
where m.metric in (
    'messages_attempted', 'messages_outbound', 'messages_sent', 'messages_delivered', 'messages_read',
    'messages_failed', 'messages_replied', 'messages_converted', 'messages_inbound', 'messages_answered',
    'messages_unanswered', 'response_time_seconds', 'contacts_active', 'campaign_messages_sent'
)
