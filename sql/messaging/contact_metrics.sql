-- contact_metrics. Grain: one contact that the application has, or that has a message in the $score_days days up to
-- $today. Inputs: app_contacts, app_messages and message_statuses of these days and of the days beside them.
with
messages as (
    -- include messaging/messages.sql
),
recent as (
    select
        workspace_id, contact_id,
        count(*) filter (where not is_inbound) as attempted,
        count(*) filter (where not is_inbound and is_sent) as sent,
        count(*) filter (where not is_inbound and is_delivered) as delivered,
        count(*) filter (where not is_inbound and is_read) as read,
        count(*) filter (where is_replied) as replied,
        count(*) filter (where not is_inbound and is_converted) as converted,
        count(*) filter (where is_inbound) as inbound,
        max(case when is_inbound then happened_at end) as last_inbound_at,
        max(case when is_inbound then date end) as inbound_on
    from messages
    where contact_id is not null and date > plus_days($today, -$score_days) and date <= $today
    group by workspace_id, contact_id
),
known as (
    select workspace_id, id as contact_id, created_at, blocked_at
    from app_contacts
    where workspace_id is not null
),
contact_rates as (
    select
        coalesce(k.workspace_id, r.workspace_id) as workspace_id,
        coalesce(k.contact_id, r.contact_id) as contact_id,
        k.created_at, k.blocked_at,
        coalesce(k.blocked_at <= $now, false) as is_blocked,
        plus_days($today, 1 - $score_days) as first_date,
        $today as last_date,
        coalesce(r.attempted, 0) as messages_attempted,
        coalesce(r.sent, 0) as messages_sent,
        coalesce(r.delivered, 0) as messages_delivered,
        coalesce(r.read, 0) as messages_read,
        coalesce(r.replied, 0) as messages_replied,
        coalesce(r.converted, 0) as messages_converted,
        coalesce(r.inbound, 0) as messages_inbound,
        r.last_inbound_at,
        days_between(r.inbound_on, $today) as days_since_inbound,
        r.read / nullif(r.delivered, 0) as read_rate,
        r.replied / nullif(r.delivered, 0) as reply_rate
    from known as k
    full join recent as r on r.workspace_id = k.workspace_id and r.contact_id = k.contact_id
),
scores as (
    -- include messaging/contact_scores.sql
)
select * replace (case when messages_delivered > 0 then recency_points end as recency_points),
    1 as score_version, $now as computed_at
from scores
order by workspace_id, contact_id
