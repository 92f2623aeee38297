-- Distinct contacts with an inbound message in each period of the relation `calendar`, of workspaces and accounts, for
-- those that have a row of contacts_active in the relation `sums`. Grain: one entity and period. Input: app_messages.
with
active as (
    select c.period_start, m.workspace_id, m.account_id, m.contact_id
    from (
        select workspace_id, account_id, contact_id, coalesce(utc_day(sent_at), date) as date
        from app_messages
        where lower(direction) = 'inbound' and contact_id is not null and workspace_id is not null
    ) as m
    inner join calendar as c on c.date = m.date
),
counted as (
    select period_start, workspace_id, 'workspace' as entity_type, workspace_id as entity_id,
        count(distinct contact_id) as contacts
    from active
    group by all
    union all by name
    select period_start, workspace_id, 'account' as entity_type, account_id as entity_id,
        count(distinct contact_id) as contacts
    from active
    where account_id is not null
    group by all
)
select
    s.period_start, s.workspace_id, s.platform, s.entity_type, s.entity_id, s.account_id, s.metric,
    cast(coalesce(c.contacts, 0) as double) as value,
    s.last_read_at
from sums as s
left join counted as c
    on c.period_start = s.period_start and c.workspace_id = s.workspace_id and c.entity_type = s.entity_type
    and c.entity_id = s.entity_id
where s.platform = 'app' and s.metric = 'contacts_active'
