-- How many event ids in the days [$first_day, $last_day) seem to be stored more than once. Input: events.
-- By hash: a false alarm costs time, a repeated id is never missed.
select count(*) as repeated
from (
    select pair_hash(workspace_id, event_id) as id_hash
    from events
    where date >= $first_day and date < $last_day
    group by pair_hash(workspace_id, event_id)
    having count(*) > 1
)
