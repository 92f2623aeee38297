-- The view_starts of [$start, $end). Input: counted_events.
-- Put in twice rather than kept in between: the second reading hardly finds a row and stops early.
select *
from counted_events
where
    date >= $first_day and date < $end_day and event_ts >= $start and event_ts < $end
    and content_id is not null and event_type = 'view_start'
