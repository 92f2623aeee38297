-- content_viewers: distinct people who ever viewed an item. Grain: one content item. Items of the relation `touched`
-- as the relation `counted` has them (workspace_id, content_id, unique_viewers, approximate, error_bound), the others
-- as they are.
select workspace_id, content_id, unique_viewers, approximate, error_bound, $now as counted_at
from counted
union all by name
select *
from content_viewers as c
where not exists (
    select 1 from touched as t where t.workspace_id = c.workspace_id and t.content_id = c.content_id
)
order by workspace_id, content_id
