-- watch_history: who watched what, newest first within a person. Grain: one viewer of one content item.
-- Only signed-in people: a session has no history. Inputs: events of the days kept, through the view sessions.
with
views as (
    -- include content/view_sessions.sql
)
select
    workspace_id, user_id, content_id,
    arg_max(creator_id, started_at) as creator_id,
    min(started_at) as first_watched_at,
    max(started_at) as last_watched_at,
    count(*) as views,
    stable_sum(watch_time) as watch_time_seconds,
    max(furthest_percent) as furthest_percent,
    bool_or(is_complete) as was_completed
from views
where user_id is not null
group by workspace_id, user_id, content_id
order by workspace_id, user_id, last_watched_at desc, content_id
