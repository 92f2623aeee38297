-- What contacts, conversations and campaigns of a workspace change by the day, ever. Grain: one row and change.
-- Inputs: app_contacts, app_conversations, app_campaigns. A campaign that ended without a time is in no state.
with
conversation_changes as (
    -- include messaging/conversation_changes.sql
),
contacts as (
    select workspace_id, coalesce(utc_day(created_at), date) as created_on, utc_day(blocked_at) as blocked_on
    from app_contacts
    where workspace_id is not null
),
campaigns as (
    select
        workspace_id, recipients,
        lower(status) as last_word,
        coalesce(utc_day(started_at), date) as started_on,
        utc_day(completed_at) as completed_on
    from app_campaigns
    where workspace_id is not null
),
ends as (
    select
        workspace_id,
        greatest(started_on, completed_on) as day,
        case
            when last_word = 'failed' then 'campaigns_failed'
            when last_word in ('cancelled', 'canceled') then 'campaigns_cancelled'
            else 'campaigns_completed'
        end as metric
    from campaigns
    where completed_on is not null
)
select workspace_id, topic, metric, day, amount
from conversation_changes
union all by name
select v.workspace_id, 'contacts' as topic, c.metric, v.created_on as day, 1 as amount
from contacts as v
cross join (values ('contacts_total'), ('contacts_new')) as c (metric)
union all by name
select workspace_id, 'contacts' as topic, 'contacts_blocked' as metric, greatest(created_on, blocked_on) as day, 1 as amount
from contacts
where blocked_on is not null
union all by name
select workspace_id, 'campaigns' as topic, 'campaigns_total' as metric, started_on as day, 1 as amount
from campaigns
union all by name
select workspace_id, 'campaigns' as topic, 'campaign_recipients' as metric, started_on as day, recipients as amount
from campaigns
where recipients is not null
union all by name
select workspace_id, 'campaigns' as topic, 'campaigns_active' as metric, started_on as day, 1 as amount
from campaigns
where completed_on is not null or coalesce(last_word not in ('completed', 'failed', 'cancelled', 'canceled'), true)
union all by name
select workspace_id, 'campaigns' as topic, 'campaigns_active' as metric, day, -1 as amount
from ends
union all by name
select workspace_id, 'campaigns' as topic, metric, day, 1 as amount
from ends
