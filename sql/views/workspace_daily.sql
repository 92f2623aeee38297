-- One workspace on one day and platform ('all' where units are comparable), a column per metric.
with
rows as (
    select date as period, * from daily_metrics where entity_type = 'workspace'
),
wide as (
    -- include includes/wide_metrics.sql
)
select period as date, * exclude (period, account_id)
from wide
