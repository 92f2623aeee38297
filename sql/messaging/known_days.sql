-- The days on which an entity is known: from its first row in the relation `changes` (workspace_id, entity_id, topic,
-- metric, day, amount) on, and for $reply_days after a message of `entity_messages`. Grain: one entity and day of
-- the relation `window_days`.
select w.date, f.workspace_id, f.entity_id
from (
    select workspace_id, entity_id, min(day) as first_day
    from changes
    where entity_id is not null
    group by workspace_id, entity_id
) as f
inner join window_days as w on w.date >= f.first_day
union
select w.date, m.workspace_id, m.entity_id
from (
    select distinct date, workspace_id, entity_id
    from entity_messages
    where entity_id is not null and date >= plus_days($start, -$reply_days) and date < $end
) as m
inner join window_days as w on w.date >= m.date and w.date <= plus_days(m.date, $reply_days)
