-- Rows of analytics_snapshots of type $entity_type in [$start, $end) that share a key. Empty = pass.
select date, workspace_id, account_id, count(*) as rows
from analytics_snapshots
where snapshot_type = $entity_type and date >= $start and date < $end
group by all
having count(*) > 1
order by all
