-- Grain: one content item that anybody viewed on the days of viewer_days.
select distinct workspace_id, content_id
from viewer_days
