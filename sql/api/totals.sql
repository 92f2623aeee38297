-- What the days of one span come to, by each metric's additivity. Grain: one metric of one platform of the rows that
-- daily_metrics was narrowed to, in the one output period of `periods`. See rollups/period_values.sql.
with
valued as (
    -- include rollups/period_values.sql
)
select
    entity_type, entity_id, metric, platform, account_id,
    finite(value) as value, days_present, days_expected, days_elapsed, is_complete, is_provisional, reason, approximate,
    last_read_at
from valued
where is_output and ($with_accounts or (entity_type = $level and entity_id = $entity_id))
order by entity_type, entity_id, metric, platform, account_id
