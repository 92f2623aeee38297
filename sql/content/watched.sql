-- Events that say how a view went, its view_start among them, of [$start, $look_ahead). Input: counted_events.
-- Put in twice rather than kept in between: the second reading hardly finds a row and stops early.
select
    workspace_id, session_id, content_id, event_type, event_ts, event_id, viewer_hash,
    watch_time, total_watch_time, progress, completion_percent, loop_count, duration
from counted_events
where
    date >= $first_day and date < $last_day and event_ts >= $start and event_ts < $look_ahead
    and content_id is not null
    and event_type in ('view_start', 'view_progress', 'view_complete', 'loop', 'pause', 'resume', 'swipe_away')
