-- As api/totals.sql, with the span before and the growth from it; see rollups/period_metrics.sql.
with period_metrics as (
    -- include rollups/period_metrics.sql
)
select
    entity_type, entity_id, metric, platform, account_id,
    finite(value) as value, days_present, days_expected, days_elapsed, is_complete, is_provisional, reason, approximate,
    last_read_at,
    finite(previous_value) as previous_value, finite(change) as change, finite(growth_rate) as growth_rate, growth_state,
    finite(compared_value) as compared_value, finite(compared_previous) as compared_previous, compared_days
from period_metrics
where ($with_accounts or (entity_type = $level and entity_id = $entity_id))
order by entity_type, entity_id, metric, platform, account_id
