-- Content items of the events of the days [$first_day, $last_day), numbered in their order: what follows joins, groups
-- and sorts by a number instead of two names. Grain: one content item. Inputs: counted_events, content.
select
    row_number() over (order by e.workspace_id, e.content_id) as content_no,
    e.workspace_id, e.content_id, c.creator_id,
    case when c.duration_seconds > 0 then c.duration_seconds end as duration_seconds
from (
    select workspace_id, content_id
    from counted_events
    where date >= $first_day and date < $last_day and content_id is not null
    group by workspace_id, content_id
) as e
left join content as c on c.workspace_id = e.workspace_id and c.content_id = e.content_id
