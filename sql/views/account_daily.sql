-- One account on one day, a column per metric.
with
rows as (
    select date as period, * from daily_metrics where entity_type = 'account'
),
wide as (
    -- include includes/wide_metrics.sql
)
select period as date, * exclude (period)
from wide
