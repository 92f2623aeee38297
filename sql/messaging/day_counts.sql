-- What stands in the application on a day and what happened on it, from the relations `changes` (workspace_id,
-- entity_id, topic, metric, day, amount: what a level or a count changed by on a day, ever) and `known_days`. A level
-- is the sum of all changes up to the end of the day. Grain: one metric of one entity and known day, of those topics
-- that anybody had a row of by then.
with
metrics as (
    select t.metric, t.topic, t.is_level, f.first_day
    from (values
        ('contacts_total', 'contacts', true),
        ('contacts_blocked', 'contacts', true),
        ('contacts_new', 'contacts', false),
        ('conversations_total', 'conversations', true),
        ('conversations_open', 'conversations', true),
        ('conversations_closed', 'conversations', false),
        ('campaigns_total', 'campaigns', true),
        ('campaigns_active', 'campaigns', true),
        ('campaigns_completed', 'campaigns', false),
        ('campaigns_failed', 'campaigns', false),
        ('campaign_recipients', 'campaigns', false)
    ) as t (metric, topic, is_level)
    inner join metric_catalog as m on m.metric = t.metric and list_contains(m.levels, $level)
    inner join (select topic, min(day) as first_day from changes group by topic) as f on f.topic = t.topic
),
daily_changes as (
    -- everything before the window is one change at its start
    select c.workspace_id, c.entity_id, c.metric, greatest(c.day, $start) as date, sum(c.amount) as amount
    from changes as c
    inner join metrics as m on m.metric = c.metric
    where c.day < $end and (m.is_level or c.day >= $start)
    group by all
),
standing as (
    select
        k.date, k.workspace_id, k.entity_id, m.metric, m.topic, m.is_level, m.first_day,
        coalesce(c.amount, 0) as amount,
        sum(coalesce(c.amount, 0)) over (
            partition by k.workspace_id, k.entity_id, m.metric order by k.date
            rows between unbounded preceding and current row
        ) as level
    from known_days as k
    cross join metrics as m
    left join daily_changes as c
        on c.date = k.date and c.workspace_id = k.workspace_id and c.entity_id = k.entity_id and c.metric = m.metric
)
select
    date, workspace_id, entity_id, metric, topic, is_level,
    not is_level and amount = 0 as is_idle,
    cast(case when is_level then level else amount end as double) as value
from standing
where date >= first_day
