-- Workspaces and accounts of monthly_metrics in [$start, $end) without their snapshot. Empty = pass.
with
entities as (
    select distinct
        month_start as date,
        workspace_id,
        case when entity_type = 'account' then entity_id end as account_id
    from monthly_metrics
    where entity_type in ('account', 'workspace') and month_start >= $start and month_start < $end
),
missing as (
    -- include includes/snapshots_missing.sql
)
select * from missing
order by all
