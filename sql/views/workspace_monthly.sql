-- One workspace in one month and platform ('all' where units are comparable), a column per metric.
with
rows as (
    select month_start as period, * from monthly_metrics where entity_type = 'workspace'
),
wide as (
    -- include includes/wide_metrics.sql
)
select period as month_start, * exclude (period, account_id)
from wide
