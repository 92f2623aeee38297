-- reconciliations. Grain: one comparison of two ways to the same number, see lake/reconciliation_tables.py: days of
-- [$start, $end), and weeks and months that begin there. Inputs: daily_metrics, weekly_metrics, monthly_metrics,
-- days_of_periods, stale_periods, the catalogue.
with
compared as (
    select * from (
        -- include reconciliation/posts_and_accounts.sql
    )
    union all by name
    select * from (
        -- include reconciliation/accounts_and_workspaces.sql
    )
    union all by name
    select * from (
        -- include reconciliation/days_and_periods.sql
    )
    union all by name
    select * from (
        -- include reconciliation/days_and_windows.sql
    )
    union all by name
    select * from (
        -- include reconciliation/application_and_platform.sql
    )
),
drifts as (
    select
        *,
        -- two zeros are equal
        case when differing = 0 then 0 else absolute_drift / nullif(greatest(abs(value), abs(against)), 0) end
            as relative_drift
    from compared
)
select
    date, workspace_id, platform, comparison, grain, entity_type, entity_id, metric,
    compared, differing, value, against, absolute_drift, relative_drift, is_exact, is_judged, is_complete,
    case
        when differing = 0 then 'equal'
        when not is_complete then 'incomplete'
        when not is_judged then 'differs'
        when is_exact then 'drift'
        when relative_drift <= $tolerance then 'within_tolerance'
        else 'drift'
    end as state
from drifts
order by workspace_id, platform, comparison, grain, entity_type, entity_id, metric
