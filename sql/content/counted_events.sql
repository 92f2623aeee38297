-- Events that count: bots are left out. Every event id is stored once per workspace; content/events_once.sql stands in
-- where it is not. Input: events.
select
    workspace_id, date, event_id, event_type, content_id, creator_id, session_id, user_id, viewer_hash, event_ts,
    watch_time, total_watch_time, progress, duration, completion_percent, is_rewatch, loop_count,
    source_type, device_type, device_platform, country, city, age_group, gender
from events
where not coalesce(is_bot, false)
