-- Workspaces and accounts with numbers in a period and no snapshot of it. Inputs: entities (date, workspace_id,
-- account_id), analytics_snapshots of type $entity_type in [$start, $end).
select date, workspace_id, account_id
from entities
except
select date, workspace_id, account_id
from analytics_snapshots
where snapshot_type = $entity_type and date >= $start and date < $end
