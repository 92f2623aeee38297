-- viewer_days. Grain: one viewer of one content item on one UTC day. Inputs: viewers, content_days.
select v.date, v.workspace_id, v.content_id, d.creator_id, v.viewer_hash, v.views, v.watch_time_seconds
from viewers as v
inner join content_days as d
    on d.date = v.date and d.workspace_id = v.workspace_id and d.content_id = v.content_id
order by v.workspace_id, d.creator_id, v.content_id, v.viewer_hash
