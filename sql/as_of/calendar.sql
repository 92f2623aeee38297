-- The relation `calendar` of rollups/period_metrics.sql: every day of `periods`, with the week it belongs to. Weeks
-- begin $first_weekday days after Monday.
select
    date, period_start,
    days_between(period_start, date) as day_offset,
    plus_days(date, -((iso_weekday(date) + 6 - $first_weekday) % 7)) as week_start
from (
    select
        period_start,
        cast(unnest(generate_series(
            cast(period_start as timestamp), cast(plus_days(period_end, -1) as timestamp), interval 1 day
        )) as date) as date
    from periods
) as days
