-- Weeks and months that begin in [$start, $end). Grain: series and period. Inputs: weekly_metrics, monthly_metrics, the
-- catalogue.
select r.*, m.additivity
from (
    select 'week' as grain, week_start as date, * exclude (week_start)
    from weekly_metrics
    where week_start >= $start and week_start < $end
    union all by name
    select 'month' as grain, month_start as date, * exclude (month_start, weekly_breakdown)
    from monthly_metrics
    where month_start >= $start and month_start < $end
) as r
inner join metric_catalog as m using (metric)
