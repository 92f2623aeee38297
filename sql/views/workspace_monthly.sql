-- One workspace in one month and platform ('all' where units are comparable), a column per metric.
with
rows as (
    select month_start as period, * from monthly_metrics where entity_type = 'workspace'
),
wide as (
    -- include includes/wide_metrics.sql
),
of_workspaces as (
    -- include includes/wide_workspace_metrics.sql
)
select w.period as month_start, w.* exclude (period, account_id), o.* exclude (period, workspace_id, platform)
from wide as w
inner join of_workspaces as o
    on o.period = w.period and o.workspace_id = w.workspace_id and o.platform = w.platform
