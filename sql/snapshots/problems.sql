-- Grain: one workspace, period and problem. is_refused: the workspace keeps the snapshots it had; else they were made,
-- without these numbers. in_all: workspaces and periods that were looked at. Inputs: figures, asked_workspaces.
select
    f.date, f.workspace_id, f.problem, f.is_refused,
    min(f.example) as example,
    count(*) as metrics,
    (
        select count(*)
        from (
            select distinct date, workspace_id
            from figures
            where not $is_narrowed or workspace_id in (select workspace_id from asked_workspaces)
        )
    ) as in_all
from (
    select
        date, workspace_id, 'a number is not finite' as problem, false as is_refused,
        entity_type || ' ' || entity_id || ', ' || platform || ', ' || metric as example
    from figures
    where is_not_finite
    union all
    select
        date, workspace_id, 'a metric stands twice' as problem, true as is_refused,
        min(entity_type || ' ' || entity_id || ', ' || platform || ', ' || metric) as example
    from figures
    group by date, workspace_id, entity_type, entity_id, platform, metric
    having count(*) > 1
) as f
where not $is_narrowed or f.workspace_id in (select workspace_id from asked_workspaces)
group by f.date, f.workspace_id, f.problem, f.is_refused
