-- The events of the hours in the relation `hours_of_events` (hour_start), as far as views are concerned.
-- Grain: one event.
select e.workspace_id, e.session_id, e.content_id, e.event_type, e.event_ts
from events as e
inner join hours_of_events as h on e.event_ts >= h.hour_start and e.event_ts < h.hour_start + interval 1 hour
where e.date >= $first_day and e.date < $end_day
