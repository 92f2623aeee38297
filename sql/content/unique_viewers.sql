-- Distinct viewers of every content item, creator and workspace in [$start, $end) days: counted, never summed.
-- Input: viewer_days.
with
entities as (
    select workspace_id, 'content' as entity_type, content_id as entity_id, viewer_hash
    from viewer_days
    where date >= $start and date < $end
    union all
    select workspace_id, 'creator', creator_id, viewer_hash
    from viewer_days
    where date >= $start and date < $end and creator_id is not null
    union all
    select workspace_id, 'workspace', workspace_id, viewer_hash
    from viewer_days
    where date >= $start and date < $end
)
select workspace_id, entity_type, entity_id, count(distinct viewer_hash) as unique_viewers
from entities
group by workspace_id, entity_type, entity_id
order by workspace_id, entity_type, entity_id
