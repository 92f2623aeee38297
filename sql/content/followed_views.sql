-- Grain: one view, begun in an hour of built_hours: one view_start of a session and content, with what was reported from
-- it to the next one, at most $view_max_hours later. start_id is the view_start's event id where the session and content
-- do not tell it. Inputs: counted_events of [$start, $look_ahead), content_numbers, built_hours.
-- Progress without a view_start counts nowhere: content/orphans.sql tells how much there is.
with
groups as (
    with marked as (
        select *, 1 as view_no, cast(null as varchar) as start_id
        from (
            -- include content/watched.sql
        )
    )
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
        case when w.event_type = 'view_start' then w.event_id end as start_id,
        count(*) filter (where w.event_type = 'view_start') over told as view_no,
        max(w.event_ts) filter (where w.event_type = 'view_start') over told as view_started_at
    from (
        -- include content/watched.sql
    ) as w
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
    select * exclude (is_plain) from begun where is_plain
    union all by name
    select *
    from (
        with marked as (
            select * from tangled where view_no > 0 and event_ts < view_started_at + hours($view_max_hours)
        )
        -- include content/view_figures.sql
    )
),
views as (
    select
        utc_day(f.started_at) as date,
        utc_hour(f.started_at) as hour,
        c.content_no, f.workspace_id, f.content_id, f.session_id, f.start_id, f.started_at, f.viewer_hash,
        case when f.is_completed then greatest(coalesce(f.furthest, 100), 100) else f.furthest end as furthest,
        cast(greatest(f.loops_told, ceil((f.furthest - 100) / 100)) as bigint) as loops,
        greatest(coalesce(f.total_watch_time, f.watch_time, 0), 0) as told_seconds,
        coalesce(f.duration, c.duration_seconds) as duration
    from figures as f
    inner join content_numbers as c on c.workspace_id = f.workspace_id and c.content_id = f.content_id
    where f.started_at < $end
)
select
    v.* exclude (told_seconds),
    -- to the microsecond: sums of hours are then the sum of the day to the last digit
    round(least(told_seconds, coalesce((loops + 1) * duration, told_seconds)), 6) as watch_time_seconds
from views as v
inner join built_hours as b on b.date = v.date and b.hour = v.hour
