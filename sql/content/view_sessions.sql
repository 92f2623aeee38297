-- Grain: one view, begun in [$start, $end): one view_start of a session and content, with what was reported from it
-- to the next one, at most $view_max later. Inputs: counted_events of [$start, $look_ahead), content, built_hours.
-- Progress without a view_start counts nowhere: content/orphans.sql tells how much there is.
with
watched as (
    select
        workspace_id, session_id, content_id, event_type, event_ts, event_id,
        watch_time, total_watch_time, progress, completion_percent, loop_count, duration
    from counted_events
    where
        date >= $first_day and date < $last_day and event_ts >= $start and event_ts < $look_ahead
        and content_id is not null
        and event_type in ('view_start', 'view_progress', 'view_complete', 'loop', 'pause', 'resume', 'swipe_away')
),
groups as (
    with marked as (select *, 1 as view_no from watched)
    -- include content/view_figures.sql
),
begun as (
    -- nearly all: one view of this content in the session, and nothing before or long after its start
    select *, starts = 1 and first_at = started_at and last_at < started_at + hours($view_max_hours) as is_plain
    from groups
    where starts > 0
),
tangled as (
    select
        w.*,
        count(*) filter (where w.event_type = 'view_start') over told as view_no,
        max(w.event_ts) filter (where w.event_type = 'view_start') over told as view_started_at
    from watched as w
    inner join begun as b
        on b.workspace_id = w.workspace_id and b.session_id = w.session_id and b.content_id = w.content_id
    where not b.is_plain
    window told as (
        partition by w.workspace_id, w.session_id, w.content_id
        order by w.event_ts, w.event_type <> 'view_start', w.event_id
        rows between unbounded preceding and current row
    )
),
figures as (
    select * from begun where is_plain
    union all by name
    select *
    from (
        with marked as (
            select * from tangled where view_no > 0 and event_ts < view_started_at + hours($view_max_hours)
        )
        -- include content/view_figures.sql
    )
),
numbered as (
    select *, 1 as view_no
    from (
        -- include content/view_starts.sql
    )
    where is_plain
    union all by name
    select
        *,
        -- the order that `tangled` counts in
        row_number() over (partition by workspace_id, session_id, content_id order by event_ts, event_id) as view_no
    from (
        -- include content/view_starts.sql
    )
    where not is_plain
),
views as (
    select
        s.date,
        utc_hour(s.event_ts) as hour,
        s.event_ts as started_at,
        s.workspace_id, s.content_id, s.creator_id, s.user_id, s.viewer_hash,
        coalesce(s.is_rewatch, false) as is_rewatch,
        case lower(trim(s.source_type))
            when 'for_you' then 'organic'
            when 'organic' then 'organic'
            when 'following' then 'following'
            when 'profile' then 'profile'
            when 'hashtag' then 'hashtag'
            when 'search' then 'search'
            when 'direct' then 'direct'
            else 'other'
        end as source,
        coalesce(nullif(lower(s.device_type), ''), 'unknown') as device_type,
        coalesce(nullif(lower(s.device_platform), ''), 'unknown') as device_platform,
        coalesce(nullif(s.country, ''), 'unknown') as country,
        coalesce(nullif(s.city, ''), 'unknown') as city,
        coalesce(nullif(s.age_group, ''), 'unknown') as age_group,
        coalesce(nullif(s.gender, ''), 'unknown') as gender,
        case when f.is_completed then greatest(coalesce(f.furthest, 100), 100) else f.furthest end as furthest,
        cast(greatest(f.loops_told, ceil((f.furthest - 100) / 100)) as bigint) as loops,
        greatest(coalesce(f.total_watch_time, f.watch_time, 0), 0) as told_seconds,
        coalesce(f.duration, case when c.duration_seconds > 0 then c.duration_seconds end) as duration
    from numbered as s
    inner join figures as f
        on f.workspace_id = s.workspace_id and f.session_id = s.session_id and f.content_id = s.content_id
        and f.view_no = s.view_no
    left join content as c on c.workspace_id = s.workspace_id and c.content_id = s.content_id
    where s.event_ts < $end
)
select
    v.* exclude (told_seconds),
    -- to the microsecond: sums of hours are then the sum of the day to the last digit
    round(least(told_seconds, coalesce((loops + 1) * duration, told_seconds)), 6) as watch_time_seconds
from views as v
inner join built_hours as b on b.date = v.date and b.hour = v.hour
