-- The days that the points and the totals of one entity are made of: its own and, of a workspace, those of its accounts,
-- whose levels growth is judged over. Grain: as daily_metrics, without the columns that no answer shows.
select
    date, workspace_id, platform, entity_type, entity_id, account_id, metric, value, lifetime_value,
    numerator, denominator, state, reason, source, is_complete, is_provisional, definition_version, days_spanned,
    last_read_at, approximate
from daily_metrics
where
    workspace_id = $workspace_id
    and ((entity_type = $level and entity_id = $entity_id) or ($level = 'workspace' and entity_type = 'account'))
    and ((date >= $first and date < $end) or (date >= $compared_first and date < $compared_end))
    and ($metrics = '' or list_contains(string_split($metrics, ','), metric))
    and ($platforms = '' or $level = 'workspace' or list_contains(string_split($platforms, ','), platform))
    and ($account_id = '' or account_id = $account_id)
