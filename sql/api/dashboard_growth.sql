-- How a workspace moved in the week that begins on $week against the one before. Grain: one metric of one platform.
-- Input: weekly_metrics.
select
    metric, platform, finite(value) as value, finite(previous_value) as previous_value, finite(change) as change,
    finite(growth_rate) as growth_rate, growth_state, days_present, days_expected, is_complete, is_provisional, reason
from weekly_metrics
where
    workspace_id = $workspace_id and entity_type = 'workspace' and week_start = $week
    and list_contains(string_split($metrics, ','), metric)
order by metric, platform
