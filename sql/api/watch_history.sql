-- What one signed-in person watched, last first; see views/watch_history.sql. Grain: one content item.
select
    content_id, creator_id, content_type, first_watched_at, last_watched_at, days_watched, views,
    finite(watch_time_seconds) as watch_time_seconds, finite(furthest_percent) as furthest_percent, is_completed,
    cast(epoch_us(last_watched_at) as double) as sort_value,
    content_id as sort_id
from (
    -- include views/watch_history.sql
)
where workspace_id = $workspace_id and user_id = $user_id and last_watched_at >= $since
