-- Figures of views: one row per workspace, session, content and view_no of the relation `marked` (events of a view,
-- its view_start among them). A seek says where somebody jumped, not what was watched: it is not among them.
select
    workspace_id, session_id, content_id, view_no,
    max(start_id) as start_id,
    count(*) filter (where event_type = 'view_start') as starts,
    min(event_ts) filter (where event_type = 'view_start') as started_at,
    max(viewer_hash) filter (where event_type = 'view_start') as viewer_hash,
    min(event_ts) as first_at,
    max(event_ts) as last_at,
    max(total_watch_time) as total_watch_time,
    stable_sum(watch_time) as watch_time,
    -- per event, the percentage is the better witness: it also tells loops
    max(coalesce(completion_percent, progress * 100)) as furthest,
    coalesce(bool_or(event_type = 'view_complete'), false) as is_completed,
    greatest(max(loop_count), count(*) filter (where event_type = 'loop'), 0) as loops_told,
    max(duration) filter (where duration > 0) as duration
from marked
group by workspace_id, session_id, content_id, view_no
