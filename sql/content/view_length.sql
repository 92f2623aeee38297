-- Rows of the relation `figures` (see view_figures.sql) with when and how far each was watched, to the letter of
-- docs/metrics.md. Inputs: figures, content_numbers, built_hours.
select
    v.* exclude (told_seconds),
    -- to the microsecond: sums of hours are then the sum of the day to the last digit
    round(least(told_seconds, coalesce((loops + 1) * duration, told_seconds)), 6) as watch_time_seconds
from (
    select
        utc_day(f.started_at) as date,
        utc_hour(f.started_at) as hour,
        c.content_no, f.workspace_id, f.content_id, f.session_id, f.start_id, f.is_plain, f.viewer_hash,
        case when f.is_completed then greatest(coalesce(f.furthest, 100), 100) else f.furthest end as furthest,
        cast(greatest(f.loops_told, ceil((f.furthest - 100) / 100)) as bigint) as loops,
        greatest(coalesce(f.total_watch_time, f.watch_time, 0), 0) as told_seconds,
        coalesce(f.duration, c.duration_seconds) as duration
    from figures as f
    inner join content_numbers as c on c.workspace_id = f.workspace_id and c.content_id = f.content_id
) as v
