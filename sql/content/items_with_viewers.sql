-- Grain: one content item that anybody viewed. Inputs: viewer_days, viewer_sketches.
select workspace_id, content_id
from viewer_days
union
select workspace_id, content_id
from viewer_sketches
