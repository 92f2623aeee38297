-- Grain: one viewer of one content item on one UTC day. Input: view_sessions.
select
    date, workspace_id, content_id, viewer_hash,
    count(*) as views,
    stable_sum(watch_time_seconds) as watch_time_seconds
from view_sessions
where viewer_hash is not null
group by date, workspace_id, content_id, viewer_hash
