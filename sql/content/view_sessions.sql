-- Grain: one view of followed_views, with what its view_start says of the viewer. Inputs: followed_views, counted_events
-- of [$start, $end).
with
started as (
    select s.*, v.hour, v.content_no, v.furthest, v.loops, v.duration as view_duration, v.watch_time_seconds
    from (
        -- include content/view_starts.sql
    ) as s
    inner join followed_views as v
        on v.workspace_id = s.workspace_id and v.session_id = s.session_id and v.content_id = s.content_id
    where v.start_id is null
    union all by name
    select s.*, v.hour, v.content_no, v.furthest, v.loops, v.duration as view_duration, v.watch_time_seconds
    from (
        -- include content/view_starts.sql
    ) as s
    inner join followed_views as v on v.workspace_id = s.workspace_id and v.start_id = s.event_id
)
select
    date, hour, event_ts as started_at, content_no, workspace_id, content_id, creator_id, user_id, viewer_hash,
    coalesce(is_rewatch, false) as is_rewatch,
    content_source(source_type) as source,
    coalesce(nullif(lower(device_type), ''), 'unknown') as device_type,
    coalesce(nullif(lower(device_platform), ''), 'unknown') as device_platform,
    coalesce(nullif(country, ''), 'unknown') as country,
    coalesce(nullif(city, ''), 'unknown') as city,
    coalesce(nullif(age_group, ''), 'unknown') as age_group,
    coalesce(nullif(gender, ''), 'unknown') as gender,
    furthest, loops,
    view_duration as duration,
    watch_time_seconds
from started
