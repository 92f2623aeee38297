-- Workspaces and accounts of weekly_metrics in [$start, $end) without their snapshot. Empty = pass.
with
entities as (
    select distinct
        week_start as date,
        workspace_id,
        case when entity_type = 'account' then entity_id end as account_id
    from weekly_metrics
    where entity_type in ('account', 'workspace') and week_start >= $start and week_start < $end
),
missing as (
    -- include includes/snapshots_missing.sql
)
select * from missing
order by all
