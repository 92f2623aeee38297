-- The view_starts of the relation `begun` (sessions and contents with one): counted_events of [$start, $look_ahead).
-- Put in twice rather than kept in between: the second reading hardly finds a row and stops early.
select e.*, b.is_plain
from counted_events as e
inner join begun as b
    on b.workspace_id = e.workspace_id and b.session_id = e.session_id and b.content_id = e.content_id
where
    e.date >= $first_day and e.date < $last_day and e.event_ts >= $start and e.event_ts < $look_ahead
    and e.event_type = 'view_start'
