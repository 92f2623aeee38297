-- What every signed-in person watched: one row per person and content item, over the days that
-- watch_days keeps (METRICS_EVENTS_DAYS). Name workspace_id and user_id in the filter: only their rows are then read.
with
watched as (
    select
        workspace_id, user_id, content_id,
        arg_max(creator_id, date) filter (where creator_id is not null) as creator_id,
        min(first_watched_at) as first_watched_at,
        max(last_watched_at) as last_watched_at,
        count(*) as days_watched,
        sum(views)::bigint as views,
        stable_sum(watch_time_seconds) as watch_time_seconds,
        max(furthest_percent) as furthest_percent,
        bool_or(is_completed) as is_completed
    from watch_days
    where views > 0
    group by workspace_id, user_id, content_id
)
select
    w.workspace_id, w.user_id, w.content_id,
    coalesce(c.creator_id, w.creator_id) as creator_id,
    c.content_type,
    w.first_watched_at, w.last_watched_at, w.days_watched, w.views, w.watch_time_seconds, w.furthest_percent,
    w.is_completed
from watched as w
left join content as c on c.workspace_id = w.workspace_id and c.content_id = w.content_id
