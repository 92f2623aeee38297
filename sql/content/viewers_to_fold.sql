-- The viewers of $day by content item, with the item's sketch as it is. Inputs: viewer_days, viewer_sketches.
with
viewers as (
    select workspace_id, content_id, list(distinct viewer_hash) as viewers
    from viewer_days
    where date = $day and viewer_hash is not null
    group by workspace_id, content_id
)
select v.workspace_id, v.content_id, v.viewers, s.sketch, greatest(s.through_date, $day) as through_date
from viewers as v
left join viewer_sketches as s on s.workspace_id = v.workspace_id and s.content_id = v.content_id
order by v.workspace_id, v.content_id
