-- One workspace in one week and platform ('all' where units are comparable), a column per metric.
with
rows as (
    select week_start as period, * from weekly_metrics where entity_type = 'workspace'
),
wide as (
    -- include includes/wide_metrics.sql
)
select period as week_start, * exclude (period, account_id)
from wide
