-- Counts of messages, from the relation `entity_messages` (messages with an entity_id). Grain: one entity and cohort
-- day in [$counted_from, $end). Whatever becomes of a message later counts on the day it was sent.
select
    date, workspace_id, entity_id,
    count(*) filter (where not is_inbound) as attempted,
    count(*) filter (where not is_inbound and is_sent) as sent,
    count(*) filter (where not is_inbound and is_delivered) as delivered,
    count(*) filter (where not is_inbound and is_read) as read,
    count(*) filter (where not is_inbound and is_failed) as failed,
    count(*) filter (where is_replied) as replied,
    count(*) filter (where not is_inbound and is_converted) as converted,
    count(*) filter (where is_inbound) as inbound,
    count(*) filter (where response_seconds is not null) as answered,
    count(*) filter (where is_burst and response_seconds is null) as unanswered,
    coalesce(stable_sum(response_seconds), 0) as response_seconds,
    count(distinct contact_id) filter (where is_inbound) as active_contacts,
    count(*) filter (where campaign_id is not null and not is_inbound and is_sent) as campaign_sent
from entity_messages
where
    date >= $counted_from and date < $end and date <= utc_day($now)
    and entity_id is not null
group by date, workspace_id, entity_id
