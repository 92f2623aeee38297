-- Every hour of the days [$first, $end), as content/content_hours.sql reads them.
select cast(hour as date) as date, utc_hour(hour) as hour
from (
    select unnest(generate_series(day_start($first), day_start($end) - interval 1 hour, interval 1 hour)) as hour
)
