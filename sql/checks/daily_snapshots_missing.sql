-- Workspaces and accounts of daily_metrics in [$start, $end) without their snapshot. Empty = pass.
with
entities as (
    select distinct
        date,
        workspace_id,
        case when entity_type = 'account' then entity_id end as account_id
    from daily_metrics
    where entity_type in ('account', 'workspace') and date >= $start and date < $end
),
missing as (
    -- include includes/snapshots_missing.sql
)
select * from missing
order by all
