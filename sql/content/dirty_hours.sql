-- Hours that change when the events of the relation `arrived` come: their own, and those in which a view began that
-- an arrived event may belong to or cut short. Inputs: arrived, events from $view_max_hours before them on.
select e.date, utc_hour(e.event_ts) as hour
from events as e
inner join arrived as a
    on a.workspace_id = e.workspace_id and a.session_id = e.session_id and a.content_id = e.content_id
where
    e.date >= $first_day and e.date < $end_day and e.event_type = 'view_start'
    and a.event_type in ('view_start', 'view_progress', 'view_complete', 'loop', 'pause', 'resume', 'swipe_away')
    and e.event_ts <= a.event_ts and e.event_ts > a.event_ts - hours($view_max_hours)
union
select utc_day(event_ts) as date, utc_hour(event_ts) as hour
from arrived
where content_id is not null and event_type not in ('view_progress', 'view_complete', 'loop')
order by date, hour
