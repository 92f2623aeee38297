-- weekly_metrics. Grain: one metric of one entity in one week; see rollups/period_metrics.sql.
with period_metrics as (
    -- include rollups/period_metrics.sql
)
select period_start as week_start, * exclude (period_start)
from period_metrics
order by workspace_id, platform, entity_type, entity_id, metric
