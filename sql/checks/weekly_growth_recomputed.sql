-- Rows of weekly_metrics in [$start, $end) whose growth is not what value and the preceding row give. Empty = pass.
with
rollup as (
    select week_start as period_start, plus_days(week_start, -7) as preceding_start, *
    from weekly_metrics
),
offenders as (
    -- include includes/growth_recomputed.sql
)
select period_start as week_start, * exclude (period_start)
from offenders
order by all
