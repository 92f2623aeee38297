-- How many of a creator's content items anything happened to in the days [$first, $end). Grain: one row.
select count(distinct content_id) as contents
from content_daily
where workspace_id = $workspace_id and creator_id = $entity_id and date >= $first and date < $end
