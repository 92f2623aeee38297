-- What conversations change by the day, ever: opened and closed. Grain: one conversation and change.
-- Input: app_conversations.
with
conversations as (
    select
        workspace_id, account_id,
        coalesce(utc_day(opened_at), date) as opened_on,
        utc_day(closed_at) as closed_on
    from app_conversations
    where workspace_id is not null
)
select workspace_id, account_id, 'conversations' as topic, c.metric, v.opened_on as day, 1 as amount
from conversations as v
cross join (values ('conversations_total'), ('conversations_open')) as c (metric)
union all by name
select workspace_id, account_id, 'conversations' as topic, c.metric, greatest(v.opened_on, v.closed_on) as day, c.amount
from conversations as v
cross join (values ('conversations_open', -1), ('conversations_closed', 1)) as c (metric, amount)
where v.closed_on is not null
