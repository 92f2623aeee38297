-- How many rows of `rejected_events` one workspace has, or all have, on the days that are readable.
select count(*) as rows
from rejected_events
where cast($workspace_id as varchar) is null or workspace_id = $workspace_id
