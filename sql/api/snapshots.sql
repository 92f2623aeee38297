-- Snapshots of a workspace whose periods begin in [$first, $end), newest first, the whole workspace before its accounts.
-- Grain: one period of one account or of the workspace. $account_id: '' for all, 'workspace' rows have none.
select
    snapshot_type, date, account_id, metrics, generated_at, finite(completeness) as completeness,
    metrics_expected, metrics_present, metrics_complete, is_complete, is_provisional, last_read_at,
    cast(days_between(date '1970-01-01', date) as double) as sort_value,
    coalesce(account_id, '') as sort_id
from analytics_snapshots
where
    workspace_id = $workspace_id and snapshot_type = $snapshot_type and date >= $first and date < $end
    and ($account_id = '' or account_id = $account_id)
    and ($of <> 'workspace' or account_id is null)
