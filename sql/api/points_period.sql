-- One entity's weeks or months. Grain: one metric of one platform in one period that begins in [$first, $end). Input: the
-- relation `periods_read`, rows of weekly_metrics or monthly_metrics with the `start` of their period.
select
    start, metric, platform, account_id,
    finite(value) as value, finite(total) as total, finite(daily_average) as daily_average,
    finite(minimum) as minimum, finite(maximum) as maximum, finite(first) as first, finite(last) as last,
    finite(previous_value) as previous_value, finite(change) as change, finite(growth_rate) as growth_rate, growth_state,
    finite(compared_value) as compared_value, finite(compared_previous) as compared_previous, compared_days,
    days_present, days_expected, days_elapsed, is_complete, is_provisional, reason, approximate, error_bound,
    definition_version, last_read_at, weekly_breakdown
from periods_read
where
    workspace_id = $workspace_id and entity_type = $level and entity_id = $entity_id
    and start >= $first and start < $end
    and ($metrics = '' or list_contains(string_split($metrics, ','), metric))
    and ($platforms = '' or list_contains(string_split($platforms, ','), platform))
    and ($account_id = '' or account_id = $account_id)
