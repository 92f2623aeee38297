-- watch_days. Grain: one signed-in person and content item on one UTC day, watched or reacted to.
-- Inputs: view_sessions, counted_events of [$first_day, $end_day), content_days.
-- A view belongs to the person of its view_start. Anonymous people have no history.
with
happenings as (
    select
        date, workspace_id, user_id, content_id, viewer_hash,
        'view_start' as event_type,
        started_at, watch_time_seconds, furthest
    from view_sessions
    where user_id is not null
    union all by name
    select date, workspace_id, user_id, content_id, viewer_hash, event_type
    from counted_events
    where
        date >= $first_day and date < $end_day and user_id is not null and content_id is not null
        and event_type in (
            'like', 'unlike', 'save', 'unsave', 'share', 'comment', 'not_interested', 'hide', 'report'
        )
),
people as (
    select
        date, workspace_id, user_id, content_id,
        max(viewer_hash) as viewer_hash,
        count(*) filter (where event_type = 'view_start') as views,
        coalesce(stable_sum(watch_time_seconds), 0) as watch_time_seconds,
        max(case when furthest > 100 then 100 else furthest end) as furthest_percent,
        coalesce(bool_or(furthest >= 99), false) as is_completed,
        min(started_at) as first_watched_at,
        max(started_at) as last_watched_at,
        count(*) filter (where event_type = 'like') as likes,
        count(*) filter (where event_type = 'unlike') as unlikes,
        count(*) filter (where event_type = 'save') as saves,
        count(*) filter (where event_type = 'unsave') as unsaves,
        count(*) filter (where event_type = 'share') as shares,
        count(*) filter (where event_type = 'comment') as comments,
        count(*) filter (where event_type = 'not_interested') as not_interested,
        count(*) filter (where event_type = 'hide') as hides,
        count(*) filter (where event_type = 'report') as reports
    from happenings
    group by date, workspace_id, user_id, content_id
)
select p.*, d.creator_id
from people as p
inner join content_days as d
    on d.date = p.date and d.workspace_id = p.workspace_id and d.content_id = p.content_id
order by p.workspace_id, p.user_id, p.content_id
