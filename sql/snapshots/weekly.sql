-- analytics_snapshots, type 'weekly'. Grain: one workspace or account and week, see snapshots/snapshots.sql.
with
figures as (
    -- include snapshots/week_figures.sql
),
snapshots as (
    -- include snapshots/snapshots.sql
)
select $snapshot_type as snapshot_type, *
from snapshots
order by date, workspace_id, account_id
