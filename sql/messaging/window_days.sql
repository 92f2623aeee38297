-- The days of [$start, $end) that have begun. Grain: one day.
select date
from (select unnest(days_listed($start, $end)) as date)
where date <= utc_day($now)
