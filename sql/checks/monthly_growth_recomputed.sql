-- Rows of monthly_metrics in [$start, $end) whose growth is not what value and the preceding row give. Empty = pass.
with
rollup as (
    select month_start as period_start, cast(month_start - interval 1 month as date) as preceding_start, *
    from monthly_metrics
),
offenders as (
    -- include includes/growth_recomputed.sql
)
select period_start as month_start, * exclude (period_start)
from offenders
order by all
