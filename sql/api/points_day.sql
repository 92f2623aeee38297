-- One entity's days. Grain: one metric of one platform on one day in [$first, $end). Input: daily_metrics.
select
    date as start, metric, platform, account_id,
    finite(value) as value, finite(lifetime_value) as lifetime_value,
    state, reason, is_complete, is_provisional, approximate, definition_version, days_spanned, last_read_at
from daily_metrics
where
    workspace_id = $workspace_id and entity_type = $level and entity_id = $entity_id
    and date >= $first and date < $end
    and ($metrics = '' or list_contains(string_split($metrics, ','), metric))
    and ($platforms = '' or list_contains(string_split($platforms, ','), platform))
    and ($account_id = '' or account_id = $account_id)
