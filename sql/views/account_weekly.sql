-- One account in one week, a column per metric.
with
rows as (
    select week_start as period, * from weekly_metrics where entity_type = 'account'
),
wide as (
    -- include includes/wide_metrics.sql
)
select period as week_start, * exclude (period)
from wide
