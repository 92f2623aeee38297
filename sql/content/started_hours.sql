-- The hours in which views began that an event in one of the relation `dirty_hours` may belong to. Grain: one hour.
-- Every start of the same session and content since $look_back counts: one too many costs a rebuild, one too few a
-- figure.
with
touched as (
    select distinct e.workspace_id, e.session_id, e.content_id
    from events as e
    inner join dirty_hours as h on e.event_ts >= h.hour_start and e.event_ts < h.hour_start + interval 1 hour
    where
        e.date >= $first_day and e.date < $end_day
        and e.event_type in ('view_progress', 'view_complete', 'pause', 'resume', 'seek', 'loop', 'swipe_away')
)
select distinct e.date, cast(extract(hour from e.event_ts) as integer) as hour
from events as e
inner join touched as t using (workspace_id, session_id, content_id)
where e.event_type = 'view_start' and e.event_ts >= $look_back and e.date >= $first_day and e.date < $end_day
order by 1, 2
