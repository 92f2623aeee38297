-- One entity's months; see api/points_period.sql. Input: monthly_metrics.
with periods_read as (
    select *, month_start as start
    from monthly_metrics
)
select *
from (
    -- include api/points_period.sql
)
