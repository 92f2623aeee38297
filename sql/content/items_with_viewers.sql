-- Grain: one content item that anybody viewed, or that was counted before. Inputs: viewer_days, viewer_sketches,
-- content_viewers.
select workspace_id, content_id
from viewer_days
union
select workspace_id, content_id
from viewer_sketches
union
select workspace_id, content_id
from content_viewers
