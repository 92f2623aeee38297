-- One entity's weeks; see api/points_period.sql. Input: weekly_metrics.
with periods_read as (
    select *, week_start as start, cast(null as varchar) as weekly_breakdown
    from weekly_metrics
)
select *
from (
    -- include api/points_period.sql
)
