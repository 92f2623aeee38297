-- The newest snapshot of each type, per workspace and account (null = the whole workspace). It is that of the running
-- period: is_complete and completeness say how much of it is there.
with
newest as (
    select snapshot_type, workspace_id, account_id, max(date) as date
    from analytics_snapshots
    group by snapshot_type, workspace_id, account_id
)
select s.*
from analytics_snapshots as s
inner join newest as n
    on n.snapshot_type = s.snapshot_type and n.date = s.date and n.workspace_id = s.workspace_id
    and n.account_id is not distinct from s.account_id
