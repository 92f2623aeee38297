-- The sketches that stay as they are when the viewers of $day are folded in: those of items without any.
-- Inputs: viewer_days, viewer_sketches.
select s.*
from viewer_sketches as s
where not exists (
    select 1
    from viewer_days as v
    where
        v.date = $day and v.viewer_hash is not null
        and v.workspace_id = s.workspace_id and v.content_id = s.content_id
)
order by s.workspace_id, s.content_id
