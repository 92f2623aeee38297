-- Progress that belongs to no view, by workspace and day of [$start, $end): without a view_start in its session and
-- content in the $view_max_hours before it. It is counted nowhere else. Input: counted_events from $look_back on.
with
told as (
    select
        workspace_id, date, event_ts, event_type,
        max(event_ts) filter (where event_type = 'view_start') over (
            partition by workspace_id, session_id, content_id
            order by event_ts, event_type <> 'view_start'
            rows between unbounded preceding and current row
        ) as view_started_at
    from counted_events
    where
        date >= $look_back_day and date < $end_day and event_ts >= $look_back and event_ts < $end
        and event_type in ('view_start', 'view_progress', 'view_complete', 'loop')
)
select workspace_id, date, count(*) as orphans
from told
where
    event_type <> 'view_start' and event_ts >= $start
    and (view_started_at is null or event_ts >= view_started_at + hours($view_max_hours))
group by workspace_id, date
order by workspace_id, date
