-- The present numbers of one item of one workspace. Grain: at most one row.
select *
from content_metrics
where workspace_id = $workspace_id and content_id = $content_id
