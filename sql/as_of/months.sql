-- The relation `periods` of rollups/period_metrics.sql for the months from the one that begins on $first_period, with the
-- one before it, to the one that holds the day before $end. $now is when they are looked at.
select
    period_start,
    period_end,
    cast(period_start - interval 1 month as date) as previous_start,
    days_between(period_start, period_end) as days_expected,
    greatest(0, least(days_between(period_start, period_end), days_between(period_start, utc_day($now))))
        as days_elapsed,
    period_start >= $first_period as is_output
from (
    select period_start, cast(period_start + interval 1 month as date) as period_end
    from (
        select cast(unnest(generate_series(
            $first_period - interval 1 month, cast(plus_days($end, -1) as timestamp), interval 1 month
        )) as date) as period_start
    ) as starts
) as months
