-- analytics_snapshots, type 'monthly'. Grain: one workspace or account and month, see snapshots/snapshots.sql.
with
figures as (
    -- include snapshots/month_figures.sql
),
snapshots as (
    -- include snapshots/snapshots.sql
)
select $snapshot_type as snapshot_type, *
from snapshots
order by date, workspace_id, account_id
