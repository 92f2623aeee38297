-- The relation `periods` of rollups/period_metrics.sql for the weeks from the one that begins on $first_period, with the
-- one before it, to the one that holds the day before $end. $now is when they are looked at.
select
    period_start,
    plus_days(period_start, 7) as period_end,
    plus_days(period_start, -7) as previous_start,
    7 as days_expected,
    greatest(0, least(7, days_between(period_start, utc_day($now)))) as days_elapsed,
    period_start >= $first_period as is_output
from (
    select cast(unnest(generate_series(
        cast(plus_days($first_period, -7) as timestamp), cast(plus_days($end, -1) as timestamp), interval 7 day
    )) as date) as period_start
) as weeks
