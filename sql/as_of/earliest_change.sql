-- The first day about which anything was learnt after $since and by $until; null if nothing was. One row.
-- Inputs: insight_readings, counter_readings, collection_status, posts, events.
select min(date) as date
from (
    select min(date) as date from insight_readings where read_at > $since and read_at <= $until
    union all
    select min(date) from counter_readings where observed_at > $since and observed_at <= $until
    union all
    select min(date) from collection_status
    where collection = 'counters' and last_value_at > $since and last_value_at <= $until
    union all
    select utc_day(min(published_at)) from posts where first_seen_at > $since and first_seen_at <= $until
    union all
    -- progress of a view belongs to the day it began
    select utc_day(min(event_ts) - hours($view_max_hours)) from events where received_at > $since and received_at <= $until
) as learnt
