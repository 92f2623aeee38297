-- Events that count, each id once: the first received of those stored under it. Bots are left out.
-- Input: events of the days [$first_day, $last_day).
with
once as (
    select *
    from events
    where date >= $first_day and date < $last_day
    qualify row_number() over (
        partition by workspace_id, event_id order by received_at, sequence, event_ts, event_type, content_id, session_id
    ) = 1
)
select
    workspace_id, date, event_id, event_type, content_id, creator_id, session_id, user_id, viewer_hash, event_ts,
    watch_time, total_watch_time, progress, duration, completion_percent, is_rewatch, loop_count,
    source_type, device_type, device_platform, country, city, age_group, gender
from once
where not coalesce(is_bot, false)
