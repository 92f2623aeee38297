-- One number for every event stored in the days [$first_day, $last_day): equal for equal ids. Input: events.
-- By hash: a false alarm costs time, a repeated id is never missed.
select pair_hash(workspace_id, event_id) as id_hash
from events
where date >= $first_day and date < $last_day
